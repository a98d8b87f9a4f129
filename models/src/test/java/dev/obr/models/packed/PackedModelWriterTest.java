package dev.obr.models.packed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.Model;
import dev.obr.models.demo.DemoModel;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PackedModelWriterTest {
    private final TinyPacked tiny = new TinyPacked("qwen3", Pattern.TWO_OF_FOUR, true);

    @TempDir
    Path folder;

    @Test
    void aResumedRunGivesTheSameBytes() throws IOException {
        tiny.write(folder.resolve("whole"), false);
        Path out = folder.resolve("resumed");
        try (Model model = tiny.source()) {
            try (PackedModelWriter writer = tiny.create(out, model, false)) {
                tiny.writeLayers(writer, model, 1);
            }
            assertThat(out).doesNotExist();
            assertThatThrownBy(() -> tiny.create(out, model, false))
                    .isInstanceOf(ObrException.class)
                    .hasMessageEndingWith(
                            "resumed.partial holds a run that was stopped; go on with compress --resume, or start"
                                    + " over with --force");
            try (PackedModelWriter writer = tiny.resume(out, model)) {
                assertThat(writer.finishedLayers()).isEqualTo(1);
                assertThat(writer.packedWeights(0)).hasSize(7);
                assertThat(writer.plainTensors(0)).hasSize(4);
                assertThat(writer.inputOrders(0)).hasSize(4);
                tiny.writeLayers(writer, model, model.config().layers());
                TinyPacked.finish(writer, model);
            }
        }
        try (var files = Files.list(folder.resolve("whole"))) {
            for (Path file : files.toList()) {
                assertThat(out.resolve(file.getFileName())).hasSameBinaryContentAs(file);
            }
        }
    }

    @Test
    void aLayerThatWasCutOffIsWrittenAnew() throws IOException {
        Path out = folder.resolve("out");
        try (Model model = tiny.source()) {
            try (PackedModelWriter writer = tiny.create(out, model, false)) {
                tiny.writeLayers(writer, model, 1);
            }
            Path part = folder.resolve("out.partial/layer-00000.safetensors");
            byte[] whole = Files.readAllBytes(part);
            Files.write(part, Arrays.copyOf(whole, whole.length - 1));
            try (PackedModelWriter writer = tiny.resume(out, model)) {
                assertThat(writer.finishedLayers()).isZero();
            }
        }
    }

    @Test
    void otherSettingsDoNotResume() {
        Path out = folder.resolve("out");
        try (Model model = tiny.source()) {
            tiny.create(out, model, false).close();
            assertThatThrownBy(() -> new TinyPacked("qwen3", Pattern.FOUR_OF_EIGHT).resume(out, model))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining(
                            "stopped with other settings (quantization_config.pattern \"2:4\", now" + " \"4:8\")");
            tiny.create(out, model, true).close();
        }
    }

    @Test
    void replacesOnlyPackedModelsAndOnlyWhenForced() throws IOException {
        Path out = folder.resolve("out");
        tiny.write(out, false);
        assertThatThrownBy(() -> tiny.write(out, false))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("exists already; choose another place, or replace it with --force");
        new TinyPacked("qwen3", Pattern.DENSE).write(out, true);
        assertThat(out.resolve("config.json")).content().contains("\"pattern\" : \"dense\"");

        Path precious = Files.createDirectory(folder.resolve("precious"));
        Files.writeString(precious.resolve("thesis.txt"), "words");
        assertThatThrownBy(() -> tiny.write(precious, true))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("is no packed model, so --force does not replace it");
        Path partial = Files.createDirectory(folder.resolve("new.partial"));
        Files.writeString(partial.resolve("thesis.txt"), "words");
        assertThatThrownBy(() -> tiny.write(folder.resolve("new"), true))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("is in the way and was not made by this program");
        assertThat(partial.resolve("thesis.txt")).exists();
        assertThatThrownBy(() -> tiny.write(folder.resolve("absent/new"), false))
                .hasMessageContaining("there is no folder");
    }

    /** A full disk shows as an IOException while the content is written. */
    @Test
    void aFailedWriteLeavesNothing() throws IOException {
        PlainTensor full = new PlainTensor("model.norm.weight", DType.F32, List.of(64), channel -> {
            throw new IOException("No space left on device");
        });
        try (Model model = tiny.source()) {
            Path out = folder.resolve("out");
            try (PackedModelWriter writer = tiny.create(out, model, false)) {
                tiny.writeLayers(writer, model, 1);
                assertThatThrownBy(() -> writer.layer(Map.of(), Map.of(), List.of(full), TinyPacked.object()))
                        .isInstanceOf(ObrException.class)
                        .hasMessageContaining("No space left on device; free some space or choose another folder");
            }
            assertThat(folder).isEmptyDirectory();
            try (PackedModelWriter writer = tiny.create(out, model, false)) {
                tiny.writeLayers(writer, model, model.config().layers());
                assertThatThrownBy(() -> writer.finish(Map.of(), List.of(full), TinyPacked.object()))
                        .hasMessageContaining("No space left on device");
            }
            assertThat(folder).isEmptyDirectory();
        }
    }

    @Test
    void namesTheTensorThatCannotBeWritten() {
        assertThatThrownBy(() -> PlainTensor.vector("model.norm.weight", new float[] {1, Float.NaN}))
                .isInstanceOf(ObrException.class)
                .hasMessage(
                        "tensor model.norm.weight has the value NaN at 1, which is no finite number; the model cannot"
                                + " be packed");
        assertThatThrownBy(() -> writeHalves(7e4f))
                .isInstanceOf(ObrException.class)
                .hasMessage(
                        "tensor lm_head.weight has the value 70000.0 in row 1, which is too large for half precision;"
                                + " the model cannot be packed");
        assertThatThrownBy(() -> writeHalves(Float.NEGATIVE_INFINITY))
                .hasMessageContaining("which is no finite number");
    }

    private static void writeHalves(float last) throws IOException {
        Matrix rows = new Matrix(2, 2, new float[] {1, 2, 3, last});
        PlainTensor.halves("lm_head.weight", 2, 2, (from, count) -> rows)
                .content()
                .writeTo(Channels.newChannel(OutputStream.nullOutputStream()));
    }

    @Test
    void theDemoModelsFilesTravelToo() {
        DemoModel.companions().writeTo(folder);
        try (PackedTokenizer tokenizer = PackedTokenizer.read(folder)) {
            assertThat(tokenizer.vocabulary().vocabularySize()).isEqualTo(4096);
        }
        assertThat(folder.resolve("generation_config.json")).exists();
    }
}
