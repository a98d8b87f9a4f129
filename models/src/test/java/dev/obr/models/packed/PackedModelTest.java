package dev.obr.models.packed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.InputGroup;
import dev.obr.models.Model;
import dev.obr.models.Quantization;
import dev.obr.models.Weight;
import dev.obr.models.loader.ModelLoader;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PackedModelTest {
    /** Written by the first versions of the format; PROVENANCE.md beside them says how. They must load for ever. */
    private static final Path VERSION_1 = Path.of("src/test/resources/packed/format-1");

    private static final Path VERSION_2 = Path.of("src/test/resources/packed/format-2");

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

    @ParameterizedTest
    @CsvSource({"qwen3, 4:8p", "qwen2, 2:4", "stories260K, 4:8p", "llama3, dense", "llama3, unstructured"})
    void ordersOfInputsAreRead(String fixture, String pattern) {
        Path out = folder.resolve("packed");
        TinyPacked tiny = new TinyPacked(fixture, Pattern.parse(pattern), true);
        tiny.write(out, false);
        try (Model source = tiny.source();
                Model packed = ModelLoader.open(out)) {
            Set<String> reordered = new HashSet<>();
            for (Weight weight : source.weights().values()) {
                boolean layer = weight.name().startsWith("model.layers.")
                        && weight.shape().size() == 2;
                if (layer && !weight.name().matches("model.layers.[13].mlp.down_proj.weight")) {
                    String name = TinyPacked.orderName(weight);
                    assertThat(packed.inputOrders().get(name)).isEqualTo(TinyPacked.order(weight));
                    assertThat(InputGroup.weightsOrderedBy(name)).contains(weight.name());
                    reordered.add(name);
                }
            }
            assertThat(packed.inputOrders()).containsOnlyKeys(reordered);
            assertThat(packed.weights()).doesNotContainKeys(reordered.toArray(String[]::new));
        }
    }

    /** The orders' first columns and sums are those of a reader of its own, as above. */
    @Test
    void theSecondVersionStillLoads() {
        try (Model model = ModelLoader.open(VERSION_2)) {
            assertThat(Objects.requireNonNull(model.quantization()).formatVersion())
                    .isEqualTo(2);
            assertThat(model.packed()).hasSize(14);
            assertThat(model.inputOrders()).hasSize(7).doesNotContainKey("model.layers.1.mlp.down_proj.input_order");
            assertThat(weighted(model, "model.layers.0.self_attn.input_order")).isEqualTo(65324);
            assertThat(weighted(model, "model.layers.0.mlp.down_proj.input_order"))
                    .isEqualTo(348081);
            assertThat(weighted(model, "model.layers.1.self_attn.o_proj.input_order"))
                    .isEqualTo(501192);
            assertThat(weighted(model, "model.layers.1.mlp.input_order")).isEqualTo(64336);
        }
    }

    /** The sum of position times column. */
    private static long weighted(Model model, String name) {
        int[] columns = Objects.requireNonNull(model.inputOrders().get(name)).columns();
        return IntStream.range(0, columns.length)
                .mapToLong(j -> (long) j * columns[j])
                .sum();
    }

    @Test
    void onlyWholeOrdersAreRead() throws IOException {
        String name = "model.layers.0.mlp.input_order";
        copyFixture(VERSION_2, "", "");
        Path weights = folder.resolve("model.safetensors");
        byte[] whole = Files.readAllBytes(weights);
        byte[] order = new byte[0];
        try (Model model = ModelLoader.open(VERSION_2)) {
            int[] columns =
                    Objects.requireNonNull(model.inputOrders().get(name)).columns();
            ByteBuffer bytes = ByteBuffer.allocate(4 * columns.length).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asIntBuffer().put(columns);
            order = bytes.array();
        }
        int at = indexOf(whole, order);
        for (int fault : new int[] {-1, 64, Integer.MIN_VALUE}) {
            Files.write(weights, withInt(whole, at + 8, fault));
            fails("tensor " + name + " is no order of columns: entry 2 is " + fault
                    + ", but there are columns 0 to 63; the file is damaged");
        }
        byte[] twice = whole.clone();
        System.arraycopy(whole, at, twice, at + 4, 4);
        Files.write(weights, twice);
        fails("which stands before it already; the file is damaged: compress the model again");
    }

    private static byte[] withInt(byte[] bytes, int at, int value) {
        byte[] changed = bytes.clone();
        ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).putInt(at, value);
        return changed;
    }

    /** Names, types and shapes of the same length in the header. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "model.layers.0.mlp.input_order | model.layers.7.mlp.input_order | model.layers.7.mlp.input_order orders the input of no packed weights",
                "model.layers.0.mlp.input_order | model.layers.0.abc.input_order | model.layers.0.abc.input_order orders the input of no packed weights",
                "model.layers.0.mlp.input_order | model.layers.0.mlp.input_ordre | model.layers.0.mlp.input_ordre has dtype I32",
                "mlp.input_order\":{\"dtype\":\"I32\" | mlp.input_order\":{\"dtype\":\"U32\" | mlp.input_order is U32 [64], but I32 [64] is expected",
                "mlp.down_proj.input_order\":{\"dtype\":\"I32\",\"shape\":[112] | mlp.down_proj.input_order\":{\"dtype\":\"F32\",\"shape\":[112] | is F32 [112], but I32 [112]"
            })
    void ordersThatFitNoWeightsAreRefused(String from, String to, String fault) throws IOException {
        copyFixture(VERSION_2, "", "");
        Path weights = folder.resolve("model.safetensors");
        byte[] whole = Files.readAllBytes(weights);
        int at = indexOf(whole, from.getBytes(StandardCharsets.UTF_8));
        System.arraycopy(to.getBytes(StandardCharsets.UTF_8), 0, whole, at, to.length());
        Files.write(weights, whole);
        fails(fault);
    }

    @Test
    void theFirstVersionHasNoOrders() throws IOException {
        copyFixture(VERSION_2, "\"format_version\" : 2", "\"format_version\" : 1");
        fails("is part of format_version 2, but config.json says 1; the file is damaged");
    }

    @Test
    void refusesANewerFormat() throws IOException {
        copyFixture("\"format_version\" : 1", "\"format_version\" : 3");
        fails("format_version 3, but this program reads up to format_version 2; install a newer version of it");
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
        copyFixture(VERSION_1, from, to);
    }

    private void copyFixture(Path fixture, String from, String to) throws IOException {
        try (var files = Files.list(fixture)) {
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
