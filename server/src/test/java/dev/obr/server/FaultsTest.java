package dev.obr.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.BatchOptions;
import dev.obr.server.TestServer.Answer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that leave, lie, come too many at once or know no key, and servers that end. */
@Timeout(300) // a hang is a failure; nothing here measures time
class FaultsTest {
    private static final String TEXT = "/v1/completions";

    private static String endless(String prompt) {
        return "{\"prompt\": \"" + prompt + "\", \"max_tokens\": -1, \"stream\": true}";
    }

    /** Sends a request and leaves the answer unread. */
    private static Socket ask(TestServer server, String body) throws IOException {
        Socket socket = new Socket("127.0.0.1", server.api.port());
        OutputStream out = socket.getOutputStream();
        int length = body.getBytes(StandardCharsets.UTF_8).length;
        String head = "POST " + TEXT + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length + "\r\n\r\n";
        out.write((head + body).getBytes(StandardCharsets.UTF_8));
        out.flush();
        return socket;
    }

    private static void awaitIdle(TestServer server) throws InterruptedException {
        while (server.status().running() + server.status().waiting() > 0) {
            Thread.sleep(5);
        }
    }

    @Test
    void aTextWhoseClientLeavesEnds() throws Exception {
        try (TestServer server = TestServer.ordinary()) {
            for (int i = 0; i < 8; i++) {
                try (Socket socket = ask(server, endless("The sea"))) {
                    InputStream in = socket.getInputStream();
                    assertThat(in.readNBytes(200)).hasSize(200); // the answer has begun
                }
            }
            awaitIdle(server);
            // A text in full has 500 tokens.
            assertThat(server.status().generatedTokens()).isLessThan(8 * 500);
        }
    }

    @Test
    void aClientThatDoesNotReadHoldsNobodyUp() throws Exception {
        try (TestServer server = TestServer.ordinary();
                Socket silent = ask(server, endless("The old man"))) {
            assertThat(silent.isConnected()).isTrue();
            for (int i = 0; i < 3; i++) {
                assertThat(server.post(TEXT, "{\"prompt\": \"The\", \"max_tokens\": 5}")
                                .status())
                        .isEqualTo(200);
            }
        }
    }

    @Test
    void aFullQueueTellsClientsToComeAgain() throws Exception {
        BatchOptions one = BatchOptions.defaults().withRunning(1).withWaiting(1);
        try (TestServer server = new TestServer(ServerOptions.defaults(), one);
                Socket running = ask(server, endless("The sea"));
                Socket waiting = ask(server, endless("The sea"))) {
            assertThat(running.getInputStream().readNBytes(20)).hasSize(20);
            assertThat(waiting.isConnected()).isTrue();
            Answer last = server.post(TEXT, "{\"prompt\": \"a\", \"n\": 8, \"max_tokens\": 1}"); // more than may wait
            assertThat(last.status()).isEqualTo(429);
            assertThat(last.response().headers().firstValue("Retry-After")).isPresent();
        }
    }

    @Test
    void onlyThoseWithAKeyAreServed() {
        ServerOptions options = ServerOptions.defaults().withKeys(Set.of("secret", "other"));
        try (TestServer server = new TestServer(options, BatchOptions.defaults())) {
            assertThat(server.get("/health").status()).isEqualTo(200);
            assertThat(server.get("/").status()).isEqualTo(200);
            assertThat(server.get("/v1/models").status()).isEqualTo(401);
            Answer wrong = server.get("/metrics", "Authorization", "Bearer secre");
            assertThat(wrong.status()).isEqualTo(401);
            assertThat(wrong.errorCode()).isEqualTo("invalid_api_key");
            assertThat(wrong.body()).doesNotContain("secre");
            assertThat(server.get("/v1/models", "Authorization", "Bearer secret")
                            .status())
                    .isEqualTo(200);
            assertThat(server.get("/v1/models", "X-Api-Key", "other").status()).isEqualTo(200);
        }
    }

    @Test
    void pagesOfOtherSitesAreRefused() {
        try (TestServer server = TestServer.ordinary()) {
            assertThat(server.post(TEXT, "{}", "Sec-Fetch-Site", "cross-site").status())
                    .isEqualTo(403);
        }
    }

    @Test
    void bodiesThatAreTooLargeTooDeepOrNoTextAreRefused() {
        try (TestServer server = TestServer.ordinary()) {
            assertThat(server.post(TEXT, new byte[10_000_001]).status()).isEqualTo(413);
            assertThat(server.post(TEXT, "[".repeat(100_000)).status()).isEqualTo(400);
            assertThat(server.post(TEXT, new byte[] {'"', (byte) 0xFF, '"'}).status())
                    .isEqualTo(400);
            assertThat(server.post(TEXT, "").status()).isEqualTo(400);
        }
    }

    @Test
    void beforeTheModelIsThereClientsHearSo() {
        try (ApiServer server = ApiServer.start(ServerOptions.defaults().withPort(0), line -> {})) {
            assertThat(server.status()).isNull();
            assertThatThrownBy(() -> ApiServer.start(ServerOptions.defaults().withPort(server.port()), line -> {}))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("Port " + server.port());
            try (Socket socket = new Socket("127.0.0.1", server.port())) {
                socket.getOutputStream()
                        .write("GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                                .getBytes(StandardCharsets.UTF_8));
                String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertThat(answer).startsWith("HTTP/1.1 503").contains("Loading model");
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Test
    void aServerThatEndsLetsAnswersFinish() throws Exception {
        try (TestServer server = TestServer.ordinary()) {
            CompletableFuture<Answer> answer =
                    CompletableFuture.supplyAsync(() -> server.post(TEXT, endless("The sea")));
            while (server.status().generatedTokens() == 0) {
                Thread.sleep(1);
            }
            assertThat(server.api.drain(Duration.ofMinutes(4))).isTrue();
            assertThat(answer.get().body()).endsWith("data: [DONE]\n\n").doesNotContain("\"error\"");
            assertThat(server.get("/health").status()).isEqualTo(503);
        }
    }

    @Test
    void aServerThatIsClosedTellsItsClients() throws Exception {
        CompletableFuture<Answer> answer;
        try (TestServer server = TestServer.ordinary()) {
            answer = CompletableFuture.supplyAsync(() -> server.post(TEXT, endless("The sea")));
            while (server.status().generatedTokens() == 0) {
                Thread.sleep(1);
            }
            server.api.close();
            assertThat(answer.get().body()).endsWith("data: [DONE]\n\n");
        }
    }

    @Test
    void damagedRequestsGetNothingButOrdinaryErrors() {
        String[] bodies = {
            "{\"prompt\": \"The sea\", \"max_tokens\": 2, \"temperature\": 0.5, \"top_k\": 3, \"stop\": [\"a\", \"b\"], \"logprobs\": 1, \"stream\": true}",
            "{\"messages\": [{\"role\": \"system\", \"content\": \"x\"}, {\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"y\"}]}], \"max_tokens\": 2, \"n\": 2, \"response_format\": {\"type\": \"json_object\"}}",
            "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"max_tokens\": 2, \"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"f\", \"parameters\": {\"type\": \"object\"}}}], \"tool_choice\": \"required\"}",
            "{\"content\": \"The sea\", \"tokens\": [5, 6], \"with_pieces\": true}"
        };
        String[] paths = {TEXT, "/v1/chat/completions", "/v1/chat/completions", "/tokenize", "/detokenize"};
        String alphabet = "{}[]\":,0123456789.eE+-truefalsnx \\u\u0000\u00e9\ud83d\ude00";
        SplittableRandom random = new SplittableRandom(42);
        try (TestServer server = TestServer.ordinary()) {
            for (int i = 0; i < 400; i++) {
                int kind = random.nextInt(paths.length);
                StringBuilder body = new StringBuilder(bodies[Math.min(kind, bodies.length - 1)]);
                for (int edits = random.nextInt(4); edits > 0 && !body.isEmpty(); edits--) {
                    int at = random.nextInt(body.length());
                    switch (random.nextInt(4)) {
                        case 0 -> body.deleteCharAt(at);
                        case 1 -> body.setCharAt(at, alphabet.charAt(random.nextInt(alphabet.length())));
                        case 2 -> body.insert(at, body.substring(at, Math.min(body.length(), at + random.nextInt(40))));
                        default -> body.setLength(random.nextInt(10) == 0 ? at : body.length());
                    }
                }
                Answer answer = server.post(paths[kind], body.toString());
                assertThat(answer.status()).as(body + "\n" + answer.body()).isBetween(200, 499);
            }
            assertThat(server.log).isEmpty();
            assertThat(server.get("/health").status()).isEqualTo(200);
        }
    }
}
