package dev.obr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code compress}, and the other verbs on what it wrote. */
class CompressVerbTest {
    private static final String MODELS = "../runtime/src/test/resources/models/";
    private static final String SENTENCE = "Once upon a time there was a rabbit who had a watch and was always late. ";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @SuppressWarnings("NullAway.Init")
    private Path text;

    @BeforeEach
    void write() throws IOException {
        text = Files.writeString(folder.resolve("text.txt"), SENTENCE.repeat(20));
    }

    /** Two short windows, and then whatever else is asked for. */
    private Ran compress(String in, Path out, String... options) {
        List<String> arguments = new ArrayList<>(List.of("compress", in, out.toString()));
        arguments.addAll(List.of("--calibration", text.toString(), "--samples", "2", "--seqlen", "32"));
        arguments.addAll(List.of(options));
        return Ran.verb(arguments.toArray(String[]::new));
    }

    @Test
    void whatIsCompressedIsInspectedEvaluatedAndRun() {
        Path out = folder.resolve("packed");
        String source = MODELS + "stories260K";
        Ran compressed = compress(source, out, "--pattern", "4:8p");
        assertThat(compressed.exitCode()).as(compressed.err()).isZero();
        assertThat(compressed.out()).isEmpty();
        assertThat(compressed.err())
                .contains("obr-plus", "target residual", "4:8p", "rotation quarot", "2 x 32 tokens of text.txt")
                .contains("model.layers.4.mlp.down_proj", "loss ", "zeros 5", "layer 5 of 5 done");

        JsonNode inspected = JsonMapper.shared()
                .readTree(Ran.verb("inspect", "-m", out.toString(), "--json").out());
        assertThat(inspected.toString()).contains("4:8p", "obr-plus");
        assertThat(Ran.verb("inspect", "-m", out.toString()).out()).contains("4:8p", "obr-plus", "quarot");

        Ran eval = Ran.verb(
                "eval",
                "-m",
                out.toString(),
                "--text",
                text.toString(),
                "-c",
                "64",
                "--limit",
                "2",
                "--reference",
                source);
        assertThat(eval.exitCode()).as(eval.err()).isZero();
        assertThat(eval.out()).containsPattern("\nFinal estimate: PPL = [0-9.]+ \\+/- [0-9.]+\n$");
        assertThat(eval.err()).contains("A8 KVint4");

        for (String bits : new String[] {"auto", "4", "8", "16"}) {
            for (String kv : new String[] {"f32", "f16", "int8", "int4"}) {
                Ran generated = Ran.verb(
                        "generate",
                        "-m",
                        out.toString(),
                        "-p",
                        "Once upon",
                        "-n",
                        "3",
                        "--temp",
                        "0",
                        "--a-bits",
                        bits,
                        "--kv",
                        kv);
                assertThat(generated.exitCode()).as(generated.err()).isZero();
                assertThat(generated.out()).isNotBlank();
                assertThat(generated.err()).contains("A" + (bits.equals("auto") ? "8" : bits) + " KV" + kv);
            }
        }
        assertThat(compress(out.toString(), folder.resolve("twice")).err()).contains("is packed already");
    }

    @Test
    void aGgufFileIsCompressedLikeAFolder() {
        Path out = folder.resolve("packed");
        Path gguf = ggufFile(Path.of(MODELS + "gguf-qwen2"));
        Ran compressed = compress(gguf.toString(), out, "--rotation", "none", "--bits", "3", "--quiet");
        assertThat(compressed.exitCode()).as(compressed.err()).isZero();
        assertThat(compressed.err()).isEmpty();
        Ran generated = Ran.verb("generate", "-m", out.toString(), "-p", "Once", "-n", "3");
        assertThat(generated.exitCode()).as(generated.err()).isZero();
    }

    /** stories260K: 5 layers of 64 wide, feed-forward 172, 8 heads and 4 of keys and values: 225,920 weights in linear layers. */
    @Test
    void theBitsReportNeedsNeitherTextNorFolder() {
        Ran report = Ran.verb("compress", MODELS + "stories260K", "--bits-report");
        assertThat(report.exitCode()).as(report.err()).isZero();
        assertThat(report.out())
                .contains("0.2 M weights")
                .containsPattern("\nF16 +16\\.000 +0\\.5 MB +1\\.00x")
                .containsPattern("\n4:8p +[23]\\.[0-9]+ ")
                .containsPattern("\nint4 +8\\.00 "); // 4 bits and, per head of 8 values, 4 bytes of scale and zero
        Ran without = Ran.verb(
                "compress", MODELS + "stories260K", folder.resolve("out").toString());
        assertThat(without.exitCode()).isEqualTo(2);
        assertThat(without.err()).contains("Missing required option: '--calibration=FILE'");
    }

    private static Path ggufFile(Path in) {
        try (Stream<Path> files = Files.list(in)) {
            return files.filter(file -> file.toString().endsWith(".gguf"))
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Stream<Arguments> wrongUsage() {
        return Stream.of(
                Arguments.of("sparsity is 1.0", new String[] {"--sparsity", "1"}),
                Arguments.of("sparsity is -0.1", new String[] {"--sparsity", "-0.1"}),
                Arguments.of("sparsity is NaN", new String[] {"--sparsity", "NaN"}),
                Arguments.of(
                        "--sparsity 0.3 does not go with --pattern 2:4",
                        new String[] {"--sparsity", "0.3", "--pattern", "2:4"}),
                Arguments.of("\"1:2\" is no sparsity pattern", new String[] {"--pattern", "1:2"}),
                Arguments.of("\"magic\" is no method", new String[] {"--method", "magic"}),
                Arguments.of("--rotation is 'spin'", new String[] {"--rotation", "spin"}),
                Arguments.of("permute", new String[] {"--permute", "maybe"}),
                Arguments.of("not 5", new String[] {"--a-bits", "5"}),
                Arguments.of("not 3", new String[] {"--kv-bits", "3"}),
                Arguments.of("--head-bits is 2", new String[] {"--head-bits", "2"}),
                Arguments.of("--a-clip is '2'", new String[] {"--a-clip", "2"}),
                Arguments.of("alpha is 1.5", new String[] {"--alpha", "1.5"}),
                Arguments.of("--threads is -1", new String[] {"--threads", "-1"}),
                Arguments.of("--memory is -1", new String[] {"--memory", "-1"}));
    }

    @ParameterizedTest
    @MethodSource
    void wrongUsage(String sentence, String[] options) {
        Ran ran = compress(MODELS + "stories260K", folder.resolve("out"), options);
        assertThat(ran.exitCode()).as(ran.err()).isEqualTo(2);
        assertThat(ran.err()).startsWith("error: ").contains(sentence).hasLineCount(2);
        assertThat(folder.resolve("out")).doesNotExist();
    }

    static Stream<Arguments> whatCannotBeCompressed() {
        return Stream.of(
                Arguments.of("needs at least 33", "empty.txt", ""),
                Arguments.of("needs at least 33", "short.txt", "Once upon a time"),
                Arguments.of("is not UTF-8", "bytes.txt", "\u00e9"),
                Arguments.of("is not a JSON list", "object.json", "{\"text\": \"a\"}"),
                Arguments.of("line 2", "lines.jsonl", "{\"text\": \"a\"}\n{\"txt\": 1}\n"));
    }

    @ParameterizedTest
    @MethodSource
    void whatCannotBeCompressed(String sentence, String name, String content) throws IOException {
        text = Files.writeString(
                folder.resolve(name),
                content,
                name.equals("bytes.txt") ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8);
        Ran ran = compress(MODELS + "stories260K", folder.resolve("out"), "--quiet");
        assertThat(ran.exitCode()).as(ran.err()).isEqualTo(1);
        assertThat(ran.err())
                .startsWith("error: ")
                .contains(sentence, text.toString())
                .hasLineCount(1);
        assertThat(folder.resolve("out")).doesNotExist();
        assertThat(folder.resolve("out.partial")).doesNotExist();
    }

    @Test
    void whatIsMissingIsNamed() {
        assertThat(compress(folder.resolve("nothing").toString(), folder.resolve("out"))
                        .err())
                .contains(folder.resolve("nothing") + " does not exist");
        assertThat(compress(MODELS + "stories260K", folder.resolve("no/out"), "--quiet")
                        .err())
                .startsWith("error: ")
                .contains("there is no folder " + folder.resolve("no"))
                .hasLineCount(1);
        text = folder.resolve("no-text.txt");
        assertThat(compress(MODELS + "stories260K", folder.resolve("out"), "--quiet")
                        .err())
                .contains(text + " does not exist")
                .hasLineCount(1);
    }
}
