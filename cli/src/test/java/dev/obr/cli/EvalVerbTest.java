package dev.obr.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code eval} on the built-in model. */
class EvalVerbTest {
    private static final String SENTENCE = "Once upon a time there was a rabbit who had a watch and was always late. ";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path folder;

    @SuppressWarnings("NullAway.Init")
    private Path text;

    @BeforeEach
    void write() throws IOException {
        text = Files.writeString(folder.resolve("text.txt"), SENTENCE.repeat(20));
        Files.writeString(
                folder.resolve("piqa.jsonl"),
                "{\"query\": \"Question: To sleep\\n\", \"choices\": [\"go to bed\", \"zzq xx\"], \"gold\": 0}\n");
        Files.writeString(
                folder.resolve("lambada_openai.jsonl"),
                "{\"context\": \"Once upon a time, I\", \"continuation\": \"was\"}\n"
                        + "{\"context\": \"Once upon a time, I\", \"continuation\": \"zebra\"}\n");
    }

    private Ran eval(String... arguments) {
        return Ran.verb(Stream.concat(Stream.of("eval", "--text", text.toString()), Stream.of(arguments))
                .toArray(String[]::new));
    }

    @ParameterizedTest
    @ValueSource(strings = {"obr", "llama"})
    void theLastLineIsTheEstimate(String protocol) {
        Ran ran = eval("--protocol", protocol, "-c", "64", "--limit", "2");
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        assertThat(ran.out().lines().toList().getFirst())
                .contains("2 windows of 64 with a beginning-of-sequence token, protocol " + protocol);
        assertThat(ran.out()).containsPattern("\nFinal estimate: PPL = [0-9]+\\.[0-9]{4} \\+/- [0-9]+\\.[0-9]{5}\n$");
        assertThat(ran.err()).contains("model: obr-books-7m").contains("window 2 of 2: PPL ");
    }

    @Test
    void jsonSaysTheSame() {
        Ran lines = eval("-c", "64", "--bos", "off", "--quiet");
        Ran ran = eval("-c", "64", "--bos", "off", "--quiet", "--json");
        assertThat(ran.err()).isEmpty();
        JsonNode json = JsonMapper.shared().readTree(ran.out());
        assertThat(json.get("bos").asBoolean()).isFalse();
        assertThat(json.get("protocol").asString()).isEqualTo("obr");
        assertThat(json.get("context").asInt()).isEqualTo(64);
        int windows = json.get("text_tokens").asInt() / 64;
        assertThat(json.get("windows").asInt()).isEqualTo(windows);
        assertThat(json.get("predictions").asInt()).isEqualTo(63 * windows);
        assertThat(Math.exp(json.get("nll").asDouble()))
                .isCloseTo(json.get("perplexity").asDouble(), within(1e-9));
        assertThat(lines.out())
                .contains(String.format(
                        "PPL = %.4f +/- %.5f",
                        json.get("perplexity").asDouble(),
                        json.get("perplexity_stderr").asDouble()));
    }

    @Test
    void aModelComparedWithItselfHasNotDiverged() throws IOException {
        Path copy = folder.resolve("copy.gguf");
        if (Files.notExists(copy)) {
            Ran.verb("make-model", "--shape", "tiny", "--format", "gguf", "--vocab", "300", copy.toString());
        }
        String[] same = {"-m", copy.toString(), "-c", "64", "--limit", "2", "--kld-reference", copy.toString()};
        Ran ran = eval(same);
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        assertThat(ran.out())
                .contains("reference copy.gguf: PPL = ")
                .contains("KLD: mean 0.000000 +/- 0.000000, median 0.000000, 99% 0.000000, maximum 0.000000\n")
                .contains("same top token: 100.000% +/- 0.000%\nFinal estimate: PPL = ");
        JsonNode json = JsonMapper.shared()
                .readTree(
                        eval(Stream.concat(Stream.of(same), Stream.of("--json")).toArray(String[]::new))
                                .out());
        assertThat(json.get("kld_mean").asDouble()).isZero();
        assertThat(json.get("kld_99").asDouble()).isZero();
        assertThat(json.get("same_top").asDouble()).isEqualTo(1);
        assertThat(json.get("reference_perplexity")).isEqualTo(json.get("perplexity"));
        Ran other = eval("-c", "64", "--reference", copy.toString());
        assertThat(other.exitCode()).isEqualTo(1);
        assertThat(other.err()).contains("has 4096 words, but its reference copy.gguf has 300");
    }

    @Test
    void tasksAreScored() {
        Ran ran = Ran.verb("eval", "--bos", "on", "--tasks", "piqa,lambada_openai", "--tasks-dir", folder.toString());
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        assertThat(ran.out())
                .contains("piqa             acc 1.0000, acc_norm 1.0000 (1 items)\n")
                .containsPattern("lambada_openai   acc 0.5000 \\+/- 0.5000, perplexity [0-9.]+ \\(2 items\\)\n")
                .contains("average          0.7500");
        JsonNode json = JsonMapper.shared()
                .readTree(Ran.verb(
                                "eval",
                                "--bos",
                                "on",
                                "--tasks",
                                "lambada_openai",
                                "--tasks-dir",
                                folder.toString(),
                                "--limit",
                                "1",
                                "--json")
                        .out());
        JsonNode task = json.get("tasks").get("lambada_openai");
        assertThat(task.get("items").asInt()).isEqualTo(1);
        assertThat(task.get("acc").asDouble()).isEqualTo(1);
        assertThat(task.get("acc_stderr").isNull()).isTrue();
        assertThat(task.get("perplexity").asDouble()).isBetween(1.0, 30.0);
    }

    static Stream<Arguments> wrongUsage() {
        return Stream.of(
                Arguments.of("Nothing to measure", new String[] {}),
                Arguments.of("--tasks needs --tasks-dir", new String[] {"--tasks", "piqa"}),
                Arguments.of("There is no task 'mmlu'", new String[] {"--tasks", "mmlu", "--tasks-dir", "x"}),
                Arguments.of(
                        "give --text FILE, too",
                        new String[] {"--tasks", "piqa", "--tasks-dir", "x", "--reference", "y"}),
                Arguments.of("--limit is -1", new String[] {"--text", "x", "--limit", "-1"}),
                Arguments.of("--protocol", new String[] {"--text", "x", "--protocol", "gptq"}),
                Arguments.of("--bos", new String[] {"--text", "x", "--bos", "maybe"}));
    }

    @ParameterizedTest
    @MethodSource
    void wrongUsage(String sentence, String[] arguments) {
        Ran ran =
                Ran.verb(Stream.concat(Stream.of("eval"), Stream.of(arguments)).toArray(String[]::new));
        assertThat(ran.exitCode()).isEqualTo(2);
        assertThat(ran.err()).startsWith("error: ").contains(sentence);
    }

    @Test
    void badFilesAreNamed() {
        String missing = folder.resolve("no-such").toString();
        Ran noText = Ran.verb("eval", "--text", missing);
        assertThat(noText.exitCode()).isEqualTo(1);
        assertThat(noText.err()).isEqualTo("error: " + missing + " does not exist; check the path\n");
        assertThat(Ran.verb("eval", "--tasks", "boolq", "--tasks-dir", folder.toString())
                        .err())
                .contains("boolq.jsonl does not exist");
        Ran shortText = eval("--protocol", "llama", "--quiet");
        assertThat(shortText.exitCode()).isEqualTo(1);
        assertThat(shortText.err())
                .containsPattern("error: .*text.txt has [0-9]+ tokens, but llama windows of 256 tokens need 512");
    }
}
