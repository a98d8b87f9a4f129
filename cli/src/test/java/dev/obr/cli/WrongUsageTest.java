package dev.obr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong input: one sentence, the right exit code, no stack trace. */
class WrongUsageTest {
    static Stream<Arguments> wrongUsage() {
        return Stream.of(
                usage("name a verb", new String[0]),
                usage("'generat'", "generat"),
                usage("'--temprature'", "generate", "-p", "x", "--temprature", "1"),
                usage("The prompt is empty", "generate", "-p", ""),
                usage("not both", "generate", "-p", "x", "-f", "y"),
                usage("'x' is not an int", "generate", "-p", "a", "-n", "x"),
                usage("max-tokens is 0", "generate", "-p", "a", "-n", "0"),
                usage("temperature is -1.0", "generate", "-p", "a", "--temp", "-1"),
                usage("top-p is 2.0", "generate", "-p", "a", "--top-p", "2"),
                usage("threads is -3", "generate", "-p", "a", "-t", "-3"),
                usage("device is 'gpu'", "generate", "-p", "a", "--device", "gpu"),
                usage("device is 'emulator:sm_75'", "bench", "--device", "emulator:sm_75"),
                usage("--kv", "generate", "-p", "a", "--kv", "f8"),
                usage("--first-logits needs --json", "generate", "-p", "a", "--first-logits"),
                usage("has no chat format", "generate", "-p", "a", "--chat"),
                usage("has no chat format", "chat"),
                usage("port is 70000", "serve", "--port", "70000"),
                usage("max-concurrent is 0", "serve", "--max-concurrent", "0"),
                usage("queue is -1", "serve", "--queue", "-1"),
                usage("timeout is 0", "serve", "--timeout", "0"),
                usage("drain is -1", "serve", "--drain", "-1"),
                usage("cannot be read", "serve", "--api-key-file", "no-such-file"),
                usage("API key is empty", "serve", "--api-key", " "),
                usage("'a' is neither a number nor a range", "bench", "-p", "a"),
                usage("never ends", "bench", "-p", "1-8*1"),
                usage("--repetitions is 0", "bench", "-r", "0"),
                usage("--warm-up is -1", "bench", "--warm-up", "-1"),
                usage("there is no shape 'gpt-9'", "bench", "gemm", "--shapes", "gpt-9"),
                usage("the shape 100x64 cannot be measured", "bench", "gemm", "--shapes", "100x64"),
                usage("--tokens is 0", "bench", "gemm", "--tokens", "0"),
                usage("--budget is 0", "bench", "gemm", "--budget", "0"),
                usage("--device is 'emulator', but what is timed is", "bench", "gemm", "--device", "emulator"),
                usage("there are no peaks of a GPU 'v100'", "bench", "roofline", "--gpu", "v100"),
                usage("there is no shape 'gpt-9'", "bench", "roofline", "--shape", "gpt-9"),
                usage("--tokens is 0", "bench", "roofline", "--tokens", "0"),
                usage("--context is 0", "bench", "roofline", "--context", "0"),
                usage("'x' is neither a number nor a range", "bench", "roofline", "--tokens", "x"),
                usage("Missing required parameter: 'RESULTS'", "bench", "report"),
                usage("\"obr\" is no method", quality("--methods", "obr")),
                usage("\"3:4\" is no sparsity pattern", quality("--patterns", "3:4")),
                usage("'A3KV4' is no precision", quality("--precisions", "A3KV4")),
                usage("--head-bits is 5", quality("--head-bits", "5")),
                usage("--samples is 0", quality("--samples", "0")),
                usage("--tasks needs --tasks-dir", quality("--tasks", "piqa")),
                usage("--concurrency is 0", "bench", "e2e", "-c", "0"),
                usage("--n-prompt is 0", "bench", "e2e", "-p", "0"),
                usage("--repetitions is 0", "bench", "e2e", "-r", "0"),
                usage("'x' is neither a number nor a range", "bench", "e2e", "-c", "x"),
                usage("there is no shape 'gpt-9'", "bench", "e2e", "--shape", "gpt-9"),
                usage("but not both", "bench", "e2e", "--shape", "tiny", "-m", "x"),
                usage("--llama-cpp", "bench", "compare"),
                usage("--rounds is 0", "bench", "compare", "--llama-cpp", "x", "--rounds", "0"),
                usage("NAME=COMMAND", "bench", "compare", "--llama-cpp", "x", "--peer", "x"),
                usage("NEW.json", "bench", "gate", "x"),
                usage("--threshold is '0%'", "bench", "gate", "x", "y", "--threshold", "0%"),
                usage("--threshold is '110%'", "bench", "gate", "x", "y", "--threshold", "110%"),
                usage("there is no shape 'gpt-9'", "make-model", "--shape", "gpt-9", "x"),
                usage("vocabulary is 5", "make-model", "--shape", "tiny", "--vocab", "5", "x"),
                usage("--device is 'tpu'", "layer", "--in", "x", "--device", "tpu"),
                usage("OUT", "make-model"),
                usage("--kernel", "emulate", "x.ptx", "--grid", "1", "--block", "1"),
                usage("'gpt2' names no model on the hub; give ORG/NAME", "pull", "gpt2"),
                usage("'../x' is no name of a model", "pull", "../x"),
                usage("'../x' is no revision", "pull", "a/b@../x"),
                usage("--file is empty", "pull", "a/b", "--file", ""),
                usage("ORG/NAME", "pull"),
                usage("There is no verb 'x'", "help", "x"));
    }

    private static String[] quality(String... options) {
        return Stream.concat(
                        Stream.of("bench", "quality", "-m", "m", "--calibration", "c", "--text", "t"),
                        Stream.of(options))
                .toArray(String[]::new);
    }

    private static Arguments usage(String sentence, String... arguments) {
        return Arguments.of(sentence, arguments);
    }

    @ParameterizedTest
    @MethodSource
    void wrongUsage(String sentence, String[] arguments) {
        Ran ran = Ran.verb(arguments);
        assertThat(ran.exitCode()).isEqualTo(2);
        assertThat(ran.out()).isEmpty();
        assertThat(ran.err().lines().filter(line -> !line.startsWith("model:")))
                .hasSize(2)
                .first()
                .asString()
                .startsWith("error: ")
                .contains(sentence);
        assertThat(ran.err()).endsWith("--help'.\n");
    }

    @Test
    void namesTheVariableThatHoldsAWrongValue() {
        Ran ran = Ran.with(Map.of("OBR_TOP_K", "many"), new byte[0], "generate", "-p", "x");
        assertThat(ran.exitCode()).isEqualTo(2);
        assertThat(ran.err()).contains("'many' is not an int (from the environment variable OBR_TOP_K)");
    }

    @Test
    void aPromptLongerThanTheContextSaysHowLongItIs() {
        Ran ran = Ran.verb("generate", "-p", "word ".repeat(400));
        assertThat(ran.exitCode()).isEqualTo(1);
        assertThat(ran.err()).contains("The prompt has ").contains("context of 256 tokens");
        assertThat(ran.out()).isEmpty();
    }

    @Test
    void inputThatIsNoUtf8NamesTheByte(@TempDir Path folder) throws Exception {
        byte[] latin1 = "caf\u00e9 noir".getBytes(StandardCharsets.ISO_8859_1);
        Ran piped = Ran.with(Map.of(), latin1, "generate");
        assertThat(piped.exitCode()).isEqualTo(1);
        assertThat(piped.err()).contains("standard input is not UTF-8: byte 0xe9 at offset 3");
        Path file = Files.write(folder.resolve("latin1.txt"), latin1);
        assertThat(Ran.verb("tokenize", "-f", file.toString()).err())
                .contains(file + " is not UTF-8: byte 0xe9 at offset 3");
    }

    @Test
    void aMissingFileIsNamed(@TempDir Path folder) {
        Path missing = folder.resolve("no-such");
        for (String[] arguments : new String[][] {
            {"generate", "-p", "x", "-m", missing.toString()},
            {"generate", "-f", missing.toString()},
            {"inspect", "-m", missing.toString()},
            {"bench", "-m", missing.toString()}
        }) {
            Ran ran = Ran.verb(arguments);
            assertThat(ran.exitCode()).isEqualTo(1);
            assertThat(ran.err())
                    .startsWith("error: " + missing + " does not exist")
                    .hasLineCount(1);
        }
    }

    @Test
    void aStackTraceIsShownOnlyWhenAskedFor(@TempDir Path folder) {
        String missing = folder.resolve("no-such").toString();
        assertThat(Ran.verb("inspect", "-m", missing).err()).doesNotContain("\tat ");
        assertThat(Ran.verb("inspect", "-m", missing, "--verbose").err()).contains("\tat dev.obr");
    }
}
