package dev.obr.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.server.TestServer.Answer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests that were right until something changed them. */
@Timeout(300) // a hang is a failure; nothing here measures time
class DamagedRequestsTest {
    private static final int REQUESTS = 5_000;
    private static final String SHORT = "{\"max_tokens\": 2, "; // kept in most: else texts fill the whole context

    private record Original(String path, String rest) {
        byte[] body() {
            return (SHORT + rest).getBytes(StandardCharsets.UTF_8);
        }
    }

    private static final List<Original> ORIGINALS = List.of(
            new Original(
                    "/v1/completions",
                    "\"prompt\": \"The sea\", \"temperature\": 0.5, \"top_k\": 3, \"stop\": [\"a\", \"b\"], \"logprobs\": 1, \"stream\": true}"),
            new Original("/v1/completions", "\"prompt\": [[5, 6], [7]], \"echo\": true, \"logprobs\": 2, \"seed\": 3}"),
            new Original(
                    "/v1/chat/completions",
                    "\"messages\": [{\"role\": \"system\", \"content\": \"x\"}, {\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"y\"}]}], \"n\": 2, \"response_format\": {\"type\": \"json_object\"}}"),
            new Original(
                    "/v1/chat/completions",
                    "\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"f\", \"parameters\": {\"type\": \"object\"}}}], \"tool_choice\": \"required\"}"),
            new Original(
                    "/v1/chat/completions",
                    "\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"s\", \"schema\": {\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"string\", \"pattern\": \"^[a-z]{2,3}$\"}}}}}}"),
            new Original("/tokenize", "\"content\": \"The sea\", \"with_pieces\": true}"),
            new Original("/detokenize", "\"tokens\": [5, 6]}"));

    @Test
    void theyGetNothingButOrdinaryErrors() {
        SplittableRandom random = new SplittableRandom(42);
        int[] answers = new int[600];
        try (TestServer server = TestServer.ordinary()) {
            for (int i = 0; i < REQUESTS; i++) {
                Original original = ORIGINALS.get(random.nextInt(ORIGINALS.size()));
                byte[] body = original.body();
                for (int edits = 1 + random.nextInt(4); edits > 0; edits--) {
                    body = damaged(body, random);
                }
                Answer answer = server.post(original.path(), body);
                assertThat(answer.status())
                        .as(new String(body, StandardCharsets.UTF_8) + "\n" + answer.body())
                        .isBetween(200, 499);
                answers[answer.status()]++;
            }
            assertThat(server.log).isEmpty();
            assertThat(server.get("/health").status()).isEqualTo(200);
        }
        assertThat(answers[200]).isGreaterThan(REQUESTS / 20);
        assertThat(answers[400]).isGreaterThan(REQUESTS / 2);
    }

    /** One byte taken away, changed, or a piece of the body put in again, or the end cut off. */
    private static byte[] damaged(byte[] body, SplittableRandom random) {
        int from = random.nextInt(50) == 0 ? 0 : Math.min(SHORT.length(), body.length);
        if (from == body.length) {
            return body;
        }
        String alphabet = "{}[]\":,0123456789.eE+-truefalsnx \\u\u0000";
        int at = from + random.nextInt(body.length - from);
        byte[] before = Arrays.copyOf(body, at);
        byte[] after = Arrays.copyOfRange(body, at + 1, body.length);
        return switch (random.nextInt(6)) {
            case 0 -> joined(before, after);
            case 1 -> joined(before, new byte[] {(byte) random.nextInt(256)}, after);
            case 2, 3 -> joined(before, new byte[] {(byte) alphabet.charAt(random.nextInt(alphabet.length()))}, after);
            case 4 ->
                joined(
                        Arrays.copyOf(body, Math.min(body.length, at + random.nextInt(40))),
                        Arrays.copyOfRange(body, at, body.length));
            default -> random.nextInt(10) == 0 ? before : body;
        };
    }

    private static byte[] joined(byte[]... pieces) {
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        for (byte[] piece : pieces) {
            joined.writeBytes(piece);
        }
        return joined.toByteArray();
    }
}
