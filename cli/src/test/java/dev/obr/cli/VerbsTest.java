package dev.obr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Every verb but generate. */
class VerbsTest {
    @Test
    void tokenizeShowsIdsPiecesAndCount() {
        // golden.json of the model: "Once upon a time" is 0 48 1395 573 260 587
        assertThat(Ran.verb("tokenize", "-p", "Once upon a time").out()).isEqualTo("0 48 1395 573 260 587\n");
        assertThat(Ran.verb("tokenize", "-p", "Once upon a time", "--no-special")
                        .out())
                .isEqualTo("48 1395 573 260 587\n");
        assertThat(Ran.verb("tokenize", "-p", "Once upon a time", "--count").out())
                .isEqualTo("6\n");
        assertThat(Ran.verb("tokenize", "-p", "Once upon", "--pieces").out())
                .startsWith("0\t<|begin_of_text|>\n48\tO\n");
        JsonNode json = JsonMapper.shared()
                .readTree(
                        Ran.verb("tokenize", "-p", "Once upon a time", "--json").out());
        assertThat(json.get("count").asInt()).isEqualTo(6);
        assertThat(json.get("token_ids")).hasSize(6);
    }

    @Test
    void tokenizeKeepsThePipedTextExactly() {
        byte[] input = "a\n".getBytes(StandardCharsets.UTF_8);
        String piped = Ran.with(Map.of(), input, "tokenize").out();
        assertThat(piped)
                .isEqualTo(Ran.verb("tokenize", "-p", "a\n").out())
                .isNotEqualTo(Ran.verb("tokenize", "-p", "a").out());
    }

    @Test
    void inspectAddsUp() {
        Ran ran = Ran.verb("inspect");
        assertThat(ran.out()).contains("architecture   llama", "6,819,072 (6.82 M)", "context        256 tokens");
        JsonNode json = JsonMapper.shared()
                .readTree(Ran.verb("inspect", "--json", "--tensors").out());
        long grouped = 0;
        for (JsonNode group : json.get("groups")) {
            grouped += group.get("bytes").asLong();
        }
        long listed = 0;
        for (JsonNode tensor : json.get("tensors")) {
            listed += tensor.get("bytes").asLong();
        }
        assertThat(json.get("bytes").asLong())
                .isEqualTo(grouped)
                .isEqualTo(listed)
                .isEqualTo(2 * 6_819_072);
        assertThat(json.get("bits_per_weight").asDouble()).isEqualTo(16);
    }

    /** The fixture's linear layers: 2 layers with q, k, v, o, gate and up of 4 bits on 4:8p (2.5 bits and a scale a row), down of 8 bits (4.5). */
    @Test
    void inspectMeasuresPackedModels() {
        String model = "../models/src/test/resources/packed/format-1";
        assertThat(Ran.verb("inspect", "-m", model).out())
                .contains("INT4 4:8p", "INT8 4:8p", "compressed     fixed-mask with rotation none")
                .containsPattern("packed +3\\.[0-9]{3} bits per weight, [45]\\.[0-9]{2}x smaller than FP16");
        JsonNode json = JsonMapper.shared()
                .readTree(Ran.verb("inspect", "--json", "-m", model).out());
        long wide = 112 * 64;
        long rest = 2 * 128 * 64 + 2 * 64 * 64 + 2 * wide;
        double bits = (rest * 2.5 + 32.0 * (128 + 64 + 64 + 64 + 2 * 112) + wide * 4.5 + 32.0 * 64) / (rest + wide);
        assertThat(json.get("packed_bits_per_weight").asDouble()).isEqualTo(bits);
        assertThat(json.get("packed_ratio_to_fp16").asDouble()).isEqualTo(16 / bits);
        assertThat(json.get("format_version").asInt()).isEqualTo(1);
    }

    @Test
    void inspectShowsOrdersOfInputs() {
        String model = "../models/src/test/resources/packed/format-2";
        assertThat(Ran.verb("inspect", "-m", model).out())
                .contains("permuted       inputs of attention 2, o_proj 2, feed-forward 2, down_proj 1 of 2 layers");
        JsonNode json = JsonMapper.shared()
                .readTree(Ran.verb("inspect", "--json", "-m", model).out());
        assertThat(json.get("format_version").asInt()).isEqualTo(2);
        assertThat(json.get("permuted_layers").get("down_proj").asInt()).isEqualTo(1);
    }

    @Test
    void devicesNamesKernelsAndGpu() {
        assertThat(Ran.verb("devices").out()).contains("kernels: ", "scalar", "processor", "memory", "gpu");
        JsonNode json =
                JsonMapper.shared().readTree(Ran.verb("devices", "--json").out());
        assertThat(json.get("scalar").asString()).startsWith("works");
        if (json.get("native").asString().startsWith("works")) {
            assertThat(json.get("floats").get("generic").asString()).matches("(used|works): any processor, 4 lanes");
            assertThat(json.get("integers")
                            .propertyStream()
                            .map(set -> set.getValue().asString()))
                    .isNotEmpty()
                    .filteredOn(verdict -> verdict.startsWith("used: "))
                    .hasSizeLessThan(2);
        }
    }

    @Test
    void benchWritesLlamaBenchsTable() {
        Ran ran = Ran.verb("bench", "--warm-up", "0", "-p", "4-8*2", "-n", "3", "-d", "0,2", "-r", "2");
        List<String> lines = ran.out().lines().toList();
        assertThat(lines.get(0))
                .isEqualTo(
                        "| model                          |       size |     params | backend    | threads |            test |                  t/s |");
        assertThat(lines.stream().skip(2).map(line -> line.split("\\|", -1)[6].strip()))
                .containsExactly("pp4", "pp8", "tg3", "pp4 @ d2", "pp8 @ d2", "tg3 @ d2");
        assertThat(lines.get(2)).contains("13.01 MiB", "6.82 M", "CPU ").containsPattern("[0-9.]+ ± [0-9.]+ \\|$");
    }

    @ParameterizedTest
    @ValueSource(strings = {"json", "jsonl", "csv"})
    void benchWritesMachineReadableRows(String format) {
        String out = Ran.verb("bench", "--warm-up", "0", "-p", "4", "-n", "0", "-r", "3", "-o", format)
                .out();
        if (format.equals("csv")) {
            assertThat(out.lines()).hasSize(2).first().asString().startsWith("cpu_info,backends,model_filename");
            return;
        }
        JsonNode json = JsonMapper.shared().readTree(out);
        JsonNode row = json.isArray() ? json.get(0) : json;
        assertThat(row.get("n_prompt").asInt()).isEqualTo(4);
        assertThat(row.get("samples_ns")).hasSize(3);
        assertThat(row.get("avg_ts").asDouble()).isPositive();
    }

    @Test
    void benchShowsTheCacheWhereItIsNotHalfFloats() {
        List<String> lines = Ran.verb("bench", "--warm-up", "0", "-p", "4", "-n", "2", "-r", "1", "--kv", "int4")
                .out()
                .lines()
                .toList();
        assertThat(lines.get(0)).contains("| threads | type_k | type_v |            test |");
        assertThat(lines.get(1)).hasSameSizeAs(lines.get(0));
        assertThat(lines.get(2)).contains("|   int4 |   int4 |             pp4 |");
        String packed = "../models/src/test/resources/packed/format-1";
        assertThat(Ran.verb("bench", "--warm-up", "0", "-m", packed, "-p", "4", "-n", "0", "-r", "1", "-o", "jsonl")
                        .out())
                .contains("\"type_k\":\"int"); // its own
    }

    @Test
    void benchLeavesOutWhatDoesNotFitTheContext() {
        Ran ran = Ran.verb("bench", "--warm-up", "0", "-p", "4,300", "-n", "0", "-r", "1");
        assertThat(ran.exitCode()).isZero();
        assertThat(ran.out().lines()).hasSize(3);
        assertThat(ran.err()).contains("pp300 is left out: it needs 300 tokens of context");
        assertThat(Ran.verb("bench", "--warm-up", "0", "-p", "300", "-n", "0", "-r", "1")
                        .exitCode())
                .isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"hf f16", "hf bf16", "hf f32", "gguf f16", "gguf bf16", "gguf f32", "packed f16"})
    void makeModelWritesModelsThatRun(String kind, @TempDir Path folder) {
        String[] formatAndType = kind.split(" ", -1);
        String out = folder.resolve("model." + formatAndType[0]).toString();
        String[] make = {
            "make-model",
            "--shape",
            "tiny",
            "--format",
            formatAndType[0],
            "--dtype",
            formatAndType[1],
            "--vocab",
            "300",
            out
        };
        assertThat(Ran.verb(make).out()).isEqualTo(out + "\n");
        assertThat(Ran.verb(make).err()).contains("exists already");
        Ran ran = Ran.verb("generate", "-m", out, "-p", "é 你", "-n", "3", "--json");
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        JsonNode json = JsonMapper.shared().readTree(ran.out());
        assertThat(json.get("token_ids")).hasSizeBetween(1, 3);
        assertThat(json.get("prompt_tokens").asInt()).isEqualTo(1 + 2 + 1 + 3); // begin, é, space, 你: its bytes
    }

    @Test
    void chatAnswersEachLineAndRemembers() {
        Path model = Path.of(System.getProperty("obr.shared", "shared"), "models", "smollm2-135m-instruct");
        Assumptions.assumeTrue(Files.isDirectory(model), "the instruct model is not beside the checkout");
        byte[] input =
                "/help\nWhat is the capital of France?\n\n/clear\n/quit\nnever read\n".getBytes(StandardCharsets.UTF_8);
        Ran ran = Ran.with(Map.of(), input, "chat", "-m", model.toString(), "--temp", "0", "-n", "12");
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        assertThat(ran.out()).contains("Paris").hasLineCount(1);
        assertThat(ran.err()).contains("/clear forgets");
    }

    @Test
    void benchLinalgRelatesRowSolvesToProducts() {
        Ran ran = Ran.verb("bench", "linalg", "--size", "48,64", "-t", "2");
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        assertThat(ran.out())
                .contains("|    48 |       2 |", "|    64 |", "row solves GF/s")
                .hasLineCount(4);
        assertThat(Ran.verb("bench", "linalg", "--size", "0").err()).contains("--size is 0");
    }

    @Test
    void benchRooflineSaysThatNothingWasMeasured() {
        Ran ran = Ran.verb(
                "bench",
                "roofline",
                "--gpu",
                "rtx4090",
                "--shape",
                "llama-3.2-1b",
                "--tokens",
                "1",
                "--context",
                "256");
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        assertThat(ran.out())
                .startsWith("Modelled from counted instructions")
                .contains("RTX 4090: llama-3.2-1b, 256 positions, modelled", "4:8p s4", "unstructured s8");
    }
}
