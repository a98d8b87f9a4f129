package dev.obr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.DType;
import dev.obr.kernels.cpu.ScalarKernels;
import dev.obr.models.Model;
import dev.obr.models.Weight;
import dev.obr.models.file.TensorBytes;
import dev.obr.models.loader.ModelLoader;
import dev.obr.models.safetensors.SafetensorsWriter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code import-obr}, and {@code generate} with what it wrote. */
class ImportVerbTest {
    private static final String BASE = "../runtime/src/test/resources/models/stories260K";
    private static final String HOSTILE = "../models/src/test/resources/torch/system.bin";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @Test
    void anUnrotatedCheckpointIsImportedAndRun() {
        Path out = folder.resolve("packed");
        Path checkpoint = rounded(folder.resolve("model.safetensors"));
        Ran imported = Ran.verb("import-obr", checkpoint.toString(), out.toString(), "--base", BASE);
        assertThat(imported.exitCode()).as(imported.err()).isZero();
        assertThat(imported.out()).isEmpty();
        assertThat(imported.err()).contains("F16", "dense", "rotation none", "layer 5 of 5 done");
        Ran generated = Ran.verb("generate", "-m", out.toString(), "-p", "Once upon a time", "-n", "8", "--temp", "0");
        assertThat(generated.exitCode()).as(generated.err()).isZero();
        assertThat(generated.out()).contains("there was");
        assertThat(Ran.verb("import-obr", checkpoint.toString(), out.toString(), "--base", BASE)
                        .err())
                .contains("exists already");
        assertThat(Ran.verb("import-obr", checkpoint.toString(), out.toString(), "--base", BASE, "--force", "--quiet")
                        .exitCode())
                .isZero();
    }

    /** The model with the linear layers of its decoder rounded to 4 bits, in half precision. */
    private static Path rounded(Path file) {
        SafetensorsWriter writer = new SafetensorsWriter();
        try (Model model = ModelLoader.open(Path.of(BASE))) {
            for (Weight weight : model.weights().values()) {
                int cols = weight.shape().getLast();
                int rows = (int) (weight.elements() / cols);
                MemorySegment halves = MemorySegment.ofArray(new byte[2 * rows * cols]);
                float[] row = new float[cols];
                for (int r = 0; r < rows; r++) {
                    new ScalarKernels()
                            .dequantizeRow(
                                    weight.shape().size() == 1 ? weight.vector() : weight.matrix(),
                                    r,
                                    MemorySegment.ofArray(row));
                    if (weight.name().contains("_proj.")) {
                        round(row);
                    }
                    for (int c = 0; c < cols; c++) {
                        halves.set(
                                ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN),
                                2L * (r * cols + c),
                                Float.floatToFloat16(row[c]));
                    }
                }
                writer.tensor(weight.name(), DType.F16, weight.shape(), TensorBytes.of(halves));
            }
            writer.write(file);
        }
        return file;
    }

    private static void round(float[] row) {
        float scale = 1e-5f;
        for (float value : row) {
            scale = Math.max(scale, Math.abs(value) / 7);
        }
        for (int c = 0; c < row.length; c++) {
            row[c] = scale * (float) Math.rint(row[c] / scale);
        }
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                Arguments.of(1, "asks to call posix.system; only tensors are read", new String[] {HOSTILE}),
                Arguments.of(1, "this is no 4-bit OBR checkpoint", new String[] {BASE}),
                Arguments.of(1, "nothing does not exist", new String[] {"nothing"}),
                Arguments.of(2, "\"spin\" is no rotation", new String[] {BASE, "--rotation", "spin"}),
                Arguments.of(2, "\"1:2\" is no sparsity pattern", new String[] {BASE, "--pattern", "1:2"}),
                Arguments.of(2, "--rms-eps is 2.0", new String[] {BASE, "--rms-eps", "2"}),
                Arguments.of(2, "--threads is -1", new String[] {BASE, "--threads", "-1"}));
    }

    @ParameterizedTest
    @MethodSource
    void refused(int exitCode, String sentence, String[] arguments) {
        String out = folder.resolve("out").toString();
        Ran ran = Ran.verb(
                Stream.of(Stream.of("import-obr", "--base", BASE, "--quiet"), Stream.of(arguments), Stream.of(out))
                        .flatMap(part -> part)
                        .toArray(String[]::new));
        assertThat(ran.exitCode()).as(ran.err()).isEqualTo(exitCode);
        assertThat(ran.err()).startsWith("error: ").contains(sentence);
        assertThat(folder.resolve("out")).doesNotExist();
        assertThat(folder.resolve("out.partial")).doesNotExist();
    }
}
