package dev.obr.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.DType;
import dev.obr.models.file.TensorBytes;
import dev.obr.models.safetensors.SafetensorsFile;
import dev.obr.models.safetensors.SafetensorsTensor;
import dev.obr.models.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code layer}, from file to file. */
class LayerVerbTest {
    private static final Path GOLDEN = Path.of("../compressor/src/test/resources/golden");

    @TempDir
    private Path folder;

    /** The published code's own result for these inputs: OBR_GPTQ, 50% unstructured, clip search. */
    @ParameterizedTest
    @ValueSource(strings = {"inputs", "hessian"})
    void givesTheGoldenCodes(String given) throws IOException {
        float[] weight = golden("inputs/A/W.bin");
        SafetensorsWriter writer = new SafetensorsWriter().tensor("weight", DType.F32, List.of(32, 64), floats(weight));
        if (given.equals("inputs")) {
            writer.tensor("inputs", DType.F32, List.of(4, 128, 64), floats(golden("inputs/A/X.bin")));
        } else {
            writer.tensor("hessian", DType.F32, List.of(64, 64), floats(golden("inputs/A/H.bin")))
                    .tensor("scaler_row", DType.F32, List.of(64), floats(golden("inputs/A/scaler_row_quarot.bin")));
        }
        Path in = folder.resolve("in.safetensors");
        writer.write(in);
        Path out = folder.resolve("out.safetensors");
        String kase = "cases/obr_A_unstr50_gptq_a50_w4_mse/";
        Ran ran = Ran.verb(
                "layer",
                "--in",
                in.toString(),
                "--out",
                out.toString(),
                "--method",
                "obr-gptq",
                "--blocksize",
                "16",
                "--json");
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        try (Arena arena = Arena.ofConfined()) {
            Map<String, SafetensorsTensor> tensors =
                    SafetensorsFile.map(out, arena).tensors();
            assertThat(tensors.keySet()).containsExactly("codes", "scale", "zero", "mask", "dequantized");
            assertThat(tensor(tensors, "codes").type()).isEqualTo("I8");
            assertThat(tensor(tensors, "mask").type()).isEqualTo("U8");
            byte[] codes = tensor(tensors, "codes").memory().toArray(ValueLayout.JAVA_BYTE);
            byte[] mask = tensor(tensors, "mask").memory().toArray(ValueLayout.JAVA_BYTE);
            float[] scale = tensor(tensors, "scale").floats();
            float[] dequantized = tensor(tensors, "dequantized").floats();
            float[] expectedCodes = golden(kase + "codes.bin");
            float[] expectedMask = golden(kase + "mask.bin");
            for (int i = 0; i < codes.length; i++) {
                assertThat((float) codes[i]).isEqualTo(expectedCodes[i]);
                assertThat((float) mask[i]).isEqualTo(expectedMask[i]);
                assertThat(dequantized[i]).isEqualTo(scale[i / 64] * codes[i]);
            }
            JsonNode json = JsonMapper.shared().readTree(ran.out());
            assertThat(json.path("loss").asDouble()).isCloseTo(loss(weight, dequantized), within(1e-3));
            assertThat(json.path("method").asString()).isEqualTo("obr-gptq");
        }
    }

    @Test
    void comparesAllMethods() throws IOException {
        Path in = random("in.safetensors", 24, 44, 3);
        JsonNode losses = JsonMapper.shared()
                .readTree(Ran.verb("layer", "--in", in.toString(), "--compare", "--json", "--pattern", "2:4")
                        .out())
                .path("losses");
        assertThat(losses.propertyNames())
                .containsExactlyInAnyOrder(
                        "obr-plus", "obr-rtn", "obr-gptq", "rtn", "gptq", "wanda+rtn", "sparsegpt+gptq", "quant-only");
        assertThat(losses.path("obr-gptq").asDouble())
                .isPositive()
                .isLessThan(losses.path("wanda+rtn").asDouble());
        assertThat(losses.path("obr-plus").asDouble())
                .isPositive()
                .isLessThan(losses.path("obr-gptq").asDouble());
        assertThat(losses.path("gptq").asDouble()).isLessThan(losses.path("rtn").asDouble());
        String table = Ran.verb("layer", "--in", in.toString(), "--compare").out();
        assertThat(table).contains("loss  ", "obr-gptq", "wanda+rtn", "24 x 44");
    }

    /** 44 columns are 5.5 groups of 8: the last half group is padded, its padding pruned first, so all 4 weights stay. */
    @ParameterizedTest
    @CsvSource({"2:4, 22", "4:8, 24", "4:8p, 24", "32:64, 32", "dense, 44", "unstructured, 22"})
    void countsEveryPattern(String pattern, int kept) throws IOException {
        Path in = random("in.safetensors", 5, 44, 2);
        Path out = folder.resolve("out.safetensors");
        Ran ran = Ran.verb("layer", "--in", in.toString(), "--out", out.toString(), "--pattern", pattern, "-t", "3");
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        try (Arena arena = Arena.ofConfined()) {
            byte[] mask = tensor(SafetensorsFile.map(out, arena).tensors(), "mask")
                    .memory()
                    .toArray(ValueLayout.JAVA_BYTE);
            for (int row = 0; row < 5; row++) {
                int count = 0;
                for (int c = 0; c < 44; c++) {
                    count += mask[row * 44 + c];
                }
                assertThat(count).isEqualTo(kept);
            }
        }
    }

    @Test
    void asymmetricCodesOfEightBitsAreUnsigned() throws IOException {
        Path in = random("in.safetensors", 3, 16, 2);
        Path out = folder.resolve("out.safetensors");
        assertThat(Ran.verb(
                                "layer",
                                "--in",
                                in.toString(),
                                "--out",
                                out.toString(),
                                "--asym",
                                "--bits",
                                "8",
                                "--method",
                                "rtn")
                        .exitCode())
                .isZero();
        try (Arena arena = Arena.ofConfined()) {
            Map<String, SafetensorsTensor> tensors =
                    SafetensorsFile.map(out, arena).tensors();
            assertThat(tensor(tensors, "codes").type()).isEqualTo("U8");
            byte[] codes = tensor(tensors, "codes").memory().toArray(ValueLayout.JAVA_BYTE);
            float[] scale = tensor(tensors, "scale").floats();
            float[] zero = tensor(tensors, "zero").floats();
            float[] dequantized = tensor(tensors, "dequantized").floats();
            for (int i = 0; i < codes.length; i++) {
                assertThat(dequantized[i])
                        .isCloseTo(scale[i / 16] * (Byte.toUnsignedInt(codes[i]) - zero[i / 16]), within(1e-6f));
            }
        }
    }

    @Test
    void saysWhatIsWrongWithTheFile() throws IOException {
        Path file = folder.resolve("bad.safetensors");
        float[] w = new float[12];
        SafetensorsWriter only = new SafetensorsWriter().tensor("weight", DType.F32, List.of(3, 4), floats(w));
        only.write(file);
        assertFails("has no tensor inputs, nor hessian and scaler_row", file);
        new SafetensorsWriter()
                .tensor("inputs", DType.F32, List.of(3, 4), floats(w))
                .write(file);
        assertFails("has no tensor weight; it has inputs", file);
        new SafetensorsWriter()
                .tensor("weight", DType.F32, List.of(3, 4), floats(w))
                .tensor("inputs", DType.F32, List.of(1, 4, 3), floats(w))
                .write(file);
        assertFails("tensor inputs has shape [1, 4, 3], but must be [samples, tokens, 4]", file);
        new SafetensorsWriter()
                .tensor("weight", DType.F32, List.of(3, 4), floats(w))
                .tensor("hessian", DType.F32, List.of(3, 4), floats(w))
                .tensor("scaler_row", DType.F32, List.of(4), floats(new float[4]))
                .write(file);
        assertFails("tensor hessian has shape [3, 4]", file);
        float[] broken = w.clone();
        broken[6] = Float.NaN;
        new SafetensorsWriter()
                .tensor("weight", DType.F32, List.of(3, 4), floats(broken))
                .tensor("inputs", DType.F32, List.of(3, 4), floats(w))
                .write(file);
        assertFails("tensor weight has NaN at [1, 2]", file);
        broken[6] = Float.POSITIVE_INFINITY;
        new SafetensorsWriter()
                .tensor("weight", DType.F32, List.of(3, 4), floats(w))
                .tensor("inputs", DType.F32, List.of(3, 4), floats(broken))
                .write(file);
        assertFails("tensor inputs has Infinity at [1, 2]", file);
        assertFails("does not exist", folder.resolve("missing"));
    }

    @Test
    void raisedDampingIsSaid() throws IOException {
        float[] w = {1, 2, 3, 4};
        float[] h = {1, 3, 3, 1}; // eigenvalues 4 and -2
        Path file = folder.resolve("in.safetensors");
        new SafetensorsWriter()
                .tensor("weight", DType.F32, List.of(2, 2), floats(w))
                .tensor("hessian", DType.F32, List.of(2, 2), floats(h))
                .tensor("scaler_row", DType.F32, List.of(2), floats(new float[] {1, 1}))
                .write(file);
        Ran ran = Ran.verb("layer", "--in", file.toString(), "--method", "gptq");
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        assertThat(ran.out()).contains("percdamp raised from 0.01 to 0.1", "percdamp raised from 1.0 to 10.0");
    }

    @ParameterizedTest
    @CsvSource({
        "--sparsity, 1, 'sparsity is 1.0'",
        "--sparsity, -0.1, 'sparsity is -0.1'",
        "--sparsity, NaN, 'sparsity is NaN'",
        "--pattern, 3:4, '\"3:4\" is no sparsity pattern'",
        "--method, best, '\"best\" is no method'",
        "--mask, best, '\"best\" is no mask metric'",
        "--bits, 1, 'weights of 1 bits'",
        "--alpha, 2, 'alpha is 2.0'",
        "--blocksize, 0, 'block size is 0'",
        "--percdamp, -1, 'percdamp is -1.0'",
        "--threads, -1, '--threads is -1'"
    })
    void refusesValuesOutOfRange(String option, String value, String sentence) throws IOException {
        Path in = random("in.safetensors", 2, 8, 1);
        Ran ran = Ran.verb("layer", "--in", in.toString(), option, value);
        assertThat(ran.exitCode()).isEqualTo(2);
        assertThat(ran.err()).contains(sentence);
        assertThat(ran.out()).isEmpty();
    }

    @Test
    void halfIsTheOnlySparsityOfAGroupedPattern() throws IOException {
        Path in = random("in.safetensors", 2, 8, 1);
        assertThat(Ran.verb("layer", "--in", in.toString(), "--pattern", "2:4", "--sparsity", "0.6")
                        .err())
                .contains("--sparsity 0.6 does not go with --pattern 2:4, which prunes half");
        assertThat(Ran.verb("layer", "--in", in.toString(), "--pattern", "2:4", "--sparsity", "0.5")
                        .exitCode())
                .isZero();
    }

    private static SafetensorsTensor tensor(Map<String, SafetensorsTensor> tensors, String name) {
        return Objects.requireNonNull(tensors.get(name), name);
    }

    private static void assertFails(String sentence, Path file) {
        Ran ran = Ran.verb("layer", "--in", file.toString(), "--quiet");
        assertThat(ran.exitCode()).isEqualTo(1);
        assertThat(ran.err()).startsWith("error: " + file).contains(sentence).hasLineCount(1);
    }

    private Path random(String name, int rows, int cols, int samples) {
        Random random = new Random(rows + cols);
        float[] w = new float[rows * cols];
        float[] x = new float[samples * 60 * cols];
        for (int i = 0; i < w.length; i++) {
            w[i] = (float) random.nextGaussian();
        }
        for (int t = 0; t < samples * 60; t++) {
            float shared = (float) random.nextGaussian();
            for (int c = 0; c < cols; c++) {
                x[t * cols + c] = (float) (random.nextGaussian() + shared);
            }
        }
        Path file = folder.resolve(name);
        new SafetensorsWriter()
                .tensor("weight", DType.F32, List.of(rows, cols), floats(w))
                .tensor("inputs", DType.F32, List.of(samples, 60, cols), floats(x))
                .write(file);
        return file;
    }

    private static double loss(float[] weight, float[] changed) throws IOException {
        float[] h = golden("inputs/A/H.bin");
        double sum = 0;
        for (int r = 0; r < 32; r++) {
            for (int i = 0; i < 64; i++) {
                for (int j = 0; j < 64; j++) {
                    double di = (double) weight[r * 64 + i] - changed[r * 64 + i];
                    double dj = (double) weight[r * 64 + j] - changed[r * 64 + j];
                    sum += di * h[i * 64 + j] * dj;
                }
            }
        }
        return sum;
    }

    private static float[] golden(String file) throws IOException {
        ByteBuffer bytes =
                ByteBuffer.wrap(Files.readAllBytes(GOLDEN.resolve(file))).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[bytes.remaining() / 4];
        bytes.asFloatBuffer().get(values);
        return values;
    }

    private static TensorBytes floats(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return TensorBytes.of(MemorySegment.ofBuffer(bytes));
    }
}
