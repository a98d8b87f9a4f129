package dev.obr.models.packed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.Model;
import dev.obr.models.Quantization;
import dev.obr.models.Weight;
import dev.obr.models.loader.ModelLoader;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PackedModelTest {
    /** Written by the first version of the format; PROVENANCE.md beside it says how. It must load for ever. */
    private static final Path VERSION_1 = Path.of("src/test/resources/packed/format-1");

    @TempDir
    Path folder;

    /** Each fixture adds something: tied head, biases on QKV or QKVO, norms on Q and K, odd widths, a GGUF's tokenizer and rotary divisors. */
    @ParameterizedTest
    @CsvSource({
        "qwen2, 2:4",
        "qwen3, 4:8p",
        "stories260K, 4:8p",
        "stories260K, 32:64",
        "llama-attention-bias, unstructured",
        "llama3, dense",
        "gguf-llama3, 4:8",
        "gguf-q8_0, 2:4",
        "llama-sharded, 4:8"
    })
    void whatIsWrittenIsRead(String fixture, String pattern) {
        Path out = folder.resolve("packed");
        TinyPacked tiny = new TinyPacked(fixture, Pattern.parse(pattern));
        tiny.write(out, false);
        try (Model source = tiny.source();
                Model packed = ModelLoader.open(out)) {
            assertThat(packed.name()).isEqualTo("packed");
            assertThat(packed.quantization()).isEqualTo(tiny.quantization(source));
            assertThat(packed.config()).isEqualTo(source.config());
            assertThat(packed.config().ropeFrequencies())
                    .isEqualTo(source.config().ropeFrequencies());
            for (String text : List.of("Once upon a time", " Zwölf  Boxkämpfer\n\n1234", "")) {
                assertThat(packed.tokenizer().encode(text, true))
                        .isEqualTo(source.tokenizer().encode(text, true));
            }
            assertThat(packed.chatFormat() == null).isEqualTo(source.chatFormat() == null);
            for (Weight weight : source.weights().values()) {
                boolean layer = weight.name().startsWith("model.layers.")
                        && weight.shape().size() == 2;
                assertThat(packed.packed().containsKey(weight.name())).isEqualTo(layer);
                if (layer) {
                    isEqual(packed(packed, weight.name()), tiny.pack(weight, tiny.quantization(source)));
                } else {
                    Weight read = Objects.requireNonNull(packed.weights().get(weight.name()));
                    assertThat(read.shape()).isEqualTo(weight.shape());
                    assertThat(read.type()).isEqualTo(weight.shape().size() == 1 ? DType.F32 : DType.F16);
                }
            }
        }
        assertThat(folder.resolve("packed.partial")).doesNotExist();
        assertThat(out.resolve("obr-report.json")).content().contains("\"tool\" : \"test\"", "\"layer\" : 0");
    }

    private static PackedMatrix packed(Model model, String name) {
        return Objects.requireNonNull(model.packed().get(name));
    }

    private static void isEqual(PackedMatrix read, PackedMatrix written) {
        assertThat(read.pattern()).isEqualTo(written.pattern());
        assertThat(read.bits()).isEqualTo(written.bits());
        assertThat(read.rows()).isEqualTo(written.rows());
        assertThat(read.cols()).isEqualTo(written.cols());
        assertThat(read.codes().mismatch(written.codes())).isEqualTo(-1);
        assertThat(read.index().mismatch(written.index())).isEqualTo(-1);
        assertThat(read.scales().mismatch(written.scales())).isEqualTo(-1);
    }

    /** The sums are those of a decoder of its own, written after docs/format.md in another language. */
    @Test
    void theFirstVersionStillLoads() {
        try (Model model = ModelLoader.open(VERSION_1)) {
            Quantization quantization = Objects.requireNonNull(model.quantization());
            assertThat(quantization.formatVersion()).isEqualTo(1);
            assertThat(quantization.pattern()).isEqualTo(Pattern.PAIRS_4_OF_8);
            assertThat(model.config().layers()).isEqualTo(2);
            PackedMatrix down = packed(model, "model.layers.1.mlp.down_proj.weight");
            assertThat(down.bits()).isEqualTo(8);
            byte[] codes = new byte[down.cols()];
            down.unpackRow(5, codes, 0);
            assertThat(checksum(codes)).isEqualTo(-2013571403);
            PackedMatrix query = packed(model, "model.layers.0.self_attn.q_proj.weight");
            byte[] row = new byte[query.cols()];
            query.unpackRow(3, row, 0);
            assertThat(checksum(row)).isEqualTo(1737359503);
            assertThat(model.tokenizer().encode("Once upon a time", true)).hasSizeGreaterThan(1);
        }
    }

    private static int checksum(byte[] codes) {
        int sum = 0;
        for (byte code : codes) {
            sum = 31 * sum + code;
        }
        return sum;
    }

    @Test
    void refusesANewerFormat() throws IOException {
        copyFixture("\"format_version\" : 1", "\"format_version\" : 2");
        fails("format_version 2, but this program reads up to format_version 1; install a newer version of it");
    }

    @Test
    void refusesWhatDoesNotFit() throws IOException {
        copyFixture("\"pattern\" : \"4:8p\",\n    \"overrides\"", "\"pattern\" : \"2:4\",\n    \"overrides\"");
        fails("a matrix [128, 64] with 4-bit codes on the pattern 2:4 has 1024 bytes of index, not 512; the file is");
        copyFixture("\"hidden_size\" : 64", "\"hidden_size\" : 128");
        fails("the file is damaged: compress the model again");
        copyFixture("\"pattern\" : \"4:8p\"", "\"pattern\" : \"4:7\"");
        fails("pattern is \"4:7\", but the name of a sparsity pattern is expected");
        copyFixture("\"num_hidden_layers\" : 2", "\"num_hidden_layers\" : 1");
        fails("is part of no weight that the configuration calls for");
        copyFixture("\"num_hidden_layers\" : 2", "\"num_hidden_layers\" : 3");
        fails("has no tensor model.layers.2.");
        copyFixture("\"clip\" : \"search\"", "\"clip\" : 1.5");
        fails("clip is 1.5, but \"search\" or a ratio above 0 and up to 1 is expected");
        copyFixture("", "");
        Files.delete(folder.resolve("tokenizer.json"));
        fails("has neither tokenizer.json nor tokenizer.gguf");
    }

    private void copyFixture(String from, String to) throws IOException {
        try (var files = Files.list(VERSION_1)) {
            for (Path file : files.toList()) {
                byte[] bytes = Files.readAllBytes(file);
                Files.write(folder.resolve(file.getFileName()), bytes);
            }
        }
        Path config = folder.resolve("config.json");
        String text = Files.readString(config);
        assertThat(text).contains(from);
        Files.writeString(config, text.replace(from, to));
    }

    private void fails(String fault) {
        assertThatThrownBy(() -> ModelLoader.open(folder).close())
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith(folder.toString())
                .hasMessageContaining(fault);
    }

    @Test
    void damagedScalesAndIndexesAreRefused() throws IOException {
        copyFixture("", "");
        Path weights = folder.resolve("model.safetensors");
        byte[] whole = Files.readAllBytes(weights);
        try (Model model = ModelLoader.open(VERSION_1)) {
            PackedMatrix query = packed(model, "model.layers.0.self_attn.q_proj.weight");
            byte[] index = query.index().toArray(ValueLayout.JAVA_BYTE);
            byte[] scales = query.scales().toArray(ValueLayout.JAVA_BYTE);
            byte[] damaged = whole.clone();
            damaged[indexOf(whole, index)] = 0;
            Files.write(weights, damaged);
            fails(": the index of row 0 breaks the pattern 4:8p; the file is damaged");
            damaged = whole.clone();
            damaged[indexOf(whole, scales) + 3] = (byte) 0xff;
            damaged[indexOf(whole, scales) + 2] |= (byte) 0x80; // an exponent of ones: infinite or no number
            Files.write(weights, damaged);
            fails("q_proj.weight: the scale of row 0 is ");
        }
    }

    private static int indexOf(byte[] file, byte[] part) {
        for (int at = 0; ; at++) {
            if (Arrays.equals(file, at, at + part.length, part, 0, part.length)) {
                return at;
            }
        }
    }
}
