package dev.obr.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code generate} with the built-in model. */
class GenerateVerbTest {
    /** What transformers continues {@code Once upon a time} with, greedily, by the model's golden.json. */
    private static final String GOLDEN = ", I was in a state of mind";

    private static final String[] GREEDY = {"generate", "-p", "Once upon a time", "--temp", "0", "-n", "8"};

    @Test
    void writesTheTextAloneToStdout() {
        Ran ran = Ran.verb(GREEDY);
        assertThat(ran.exitCode()).isZero();
        assertThat(ran.out()).isEqualTo(GOLDEN + "\n");
        assertThat(ran.err())
                .contains("model: obr-books-7m (demo) · cpu · A16 KVf16 · kernels: ")
                .containsPattern("prompt: 6 tokens, [0-9.]+ tok/s · generation: 8 tokens, [0-9.]+ tok/s");
    }

    @Test
    void saysNothingElseWhenQuiet() {
        Ran ran = Ran.with(Map.of("OBR_QUIET", "true"), new byte[0], GREEDY);
        assertThat(ran.out()).isEqualTo(GOLDEN + "\n");
        assertThat(ran.err()).isEmpty();
    }

    @Test
    void writesOneJsonObject() {
        Ran ran = Ran.verb(
                "generate",
                "-p",
                "Once upon a time",
                "--temp",
                "0",
                "-n",
                "8",
                "--kv",
                "f32",
                "--json",
                "--first-logits");
        assertThat(ran.out().lines()).hasSize(1);
        JsonNode json = JsonMapper.shared().readTree(ran.out());
        assertThat(json.propertyNames())
                .containsExactly(
                        "text",
                        "prompt_token_ids",
                        "token_ids",
                        "finish_reason",
                        "prompt_tokens",
                        "generated_tokens",
                        "first_logits",
                        "timings",
                        "model",
                        "device",
                        "kernels");
        assertThat(json.get("timings").propertyNames())
                .containsExactly(
                        "load_ms", "prompt_ms", "first_token_ms", "generate_ms", "prompt_tok_s", "generate_tok_s");
        assertThat(json.get("text").asString()).isEqualTo(GOLDEN);
        assertThat(json.get("finish_reason").asString()).isEqualTo("length");
        assertThat(json.get("prompt_tokens").asInt())
                .isEqualTo(json.get("prompt_token_ids").size())
                .isEqualTo(6);
        assertThat(json.get("generated_tokens").asInt())
                .isEqualTo(json.get("token_ids").size())
                .isEqualTo(8);
        assertThat(json.get("first_logits")).hasSize(4096);
        assertThat(json.get("device").asString()).isEqualTo("cpu");
        assertThat(json.get("kernels").asString()).isIn("native", "vector", "scalar");
    }

    @Test
    void stopsBeforeAStopString() {
        Ran ran =
                Ran.verb("generate", "-p", "Once upon a time", "--temp", "0", "-n", "20", "--stop", " state", "--json");
        JsonNode json = JsonMapper.shared().readTree(ran.out());
        assertThat(json.get("text").asString()).isEqualTo(", I was in a");
        assertThat(json.get("finish_reason").asString()).isEqualTo("stop");
    }

    @Test
    void equalSeedsGiveEqualTexts() {
        String[] command = {"generate", "-p", "The sea", "-n", "20", "--seed", "7", "--quiet"};
        assertThat(Ran.verb(command).out()).isEqualTo(Ran.verb(command).out()).isNotBlank();
    }

    @Test
    void takesOptionsFromTheEnvironmentAndTheCommandLineWins() {
        Map<String, String> environment =
                Map.of("OBR_MAX_TOKENS", "3", "OBR_TEMPERATURE", "0", "OBR_PROMPT", "Once upon a time");
        assertThat(Ran.with(environment, new byte[0], "generate").out()).isEqualTo(", I was\n");
        assertThat(Ran.with(environment, new byte[0], "generate", "-n", "2").out())
                .isEqualTo(", I\n");
    }

    @Test
    void readsThePromptFromAPipeWithoutItsLineEnd() {
        byte[] input = "Once upon a time\n".getBytes(StandardCharsets.UTF_8);
        assertThat(Ran.with(Map.of(), input, "generate", "--temp", "0", "-n", "8")
                        .out())
                .isEqualTo(GOLDEN + "\n");
    }

    @Test
    void readsThePromptFromAFile(@TempDir Path folder) throws Exception {
        String names = System.getProperty("sun.jnu.encoding");
        assumeTrue("UTF-8".equals(names), "file names are in " + names + " here, which may lack letters");
        Path file = Files.writeString(folder.resolve("prompt é.txt"), "Once upon a time");
        assertThat(Ran.verb("generate", "-f", file.toString(), "--temp", "0", "-n", "8")
                        .out())
                .isEqualTo(GOLDEN + "\n");
    }

    @Test
    void writesJsonByASchema(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("schema.json"), """
                {"type": "object", "required": ["mood", "days"], "additionalProperties": false,
                 "properties": {"mood": {"enum": ["calm", "rough"]}, "days": {"type": "integer", "minimum": 1, "maximum": 9}}}""");
        Ran ran = Ran.verb("generate", "-p", "The sea is", "--seed", "3", "--json-schema", file.toString());
        assertThat(ran.exitCode()).isZero();
        JsonNode json = JsonMapper.shared().readTree(ran.out());
        assertThat(json.propertyNames()).containsExactly("mood", "days");
        assertThat(json.get("mood").asString()).isIn("calm", "rough");
        assertThat(json.get("days").asInt()).isBetween(1, 9);
    }

    @Test
    void namesTheFileOfASchemaThatIsNotSupported(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("schema.json"), "{\"not\": {}}");
        Ran ran = Ran.verb("generate", "-p", "The sea", "--json-schema", file.toString());
        assertThat(ran.exitCode()).isEqualTo(1);
        assertThat(ran.out()).isEmpty();
        assertThat(ran.err()).contains("schema.json: The JSON schema's keyword not at # is not supported");
        assertThat(Ran.verb("generate", "-p", "The sea", "--json-schema", file.toString(), "--json-object")
                        .exitCode())
                .isEqualTo(2);
    }
}
