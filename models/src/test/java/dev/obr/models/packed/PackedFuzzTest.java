package dev.obr.models.packed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.models.Model;
import dev.obr.models.file.JsonFile;
import dev.obr.models.safetensors.SafetensorsFile;
import dev.obr.models.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Damages a packed model's configuration, header and weights with fixed seeds: each opens and can be read through, or is refused with a sentence. */
class PackedFuzzTest {
    private static final Path PACKED = Path.of("src/test/resources/packed");

    private static final List<String> JSON_VALUES = List.of(
            "-1",
            "0",
            "1",
            "2",
            "4",
            "8",
            "16",
            "null",
            "true",
            "[]",
            "{}",
            "\"\"",
            "\"2:4\"",
            "\"dense\"",
            "\"unstructured\"",
            "1e308",
            "2147483648",
            "99999999999999999999999");

    @ParameterizedTest
    @ValueSource(strings = {"format-1", "format-2"})
    void configurations(String model) throws IOException {
        byte[] weights = Files.readAllBytes(PACKED.resolve(model).resolve("model.safetensors"));
        String config = Files.readString(PACKED.resolve(model).resolve("config.json"));
        for (int i = 0; i < 3000; i++) {
            Random random = new Random(i);
            byte[] damaged = random.nextInt(4) == 0
                    ? flipped(config.getBytes(StandardCharsets.UTF_8), 0, config.length(), random)
                    : otherValue(config, random).getBytes(StandardCharsets.UTF_8);
            opensOrRefuses(damaged, weights, "configuration " + i);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"format-1", "format-2"})
    void headersAndWeights(String model) throws IOException {
        byte[] weights = Files.readAllBytes(PACKED.resolve(model).resolve("model.safetensors"));
        byte[] config = Files.readAllBytes(PACKED.resolve(model).resolve("config.json"));
        int header = 8 + (weights[0] & 0xff) + (weights[1] & 0xff) * 256;
        for (int i = 0; i < 3000; i++) {
            Random random = new Random(i);
            byte[] damaged = random.nextBoolean()
                    ? flipped(weights, 0, header, random)
                    : flipped(weights, header, weights.length, random);
            opensOrRefuses(config, damaged, "weights " + i);
        }
    }

    private static byte[] flipped(byte[] bytes, int from, int to, Random random) {
        byte[] damaged = bytes.clone();
        for (int i = 0; i <= random.nextInt(3); i++) {
            damaged[from + random.nextInt(to - from)] ^= (byte) (1 << random.nextInt(8));
        }
        return damaged;
    }

    /** One value of the configuration, whatever follows a colon, becomes another. */
    private static String otherValue(String config, Random random) {
        int colons = (int) config.chars().filter(c -> c == ':').count();
        int at = -1;
        for (int i = 0; i <= random.nextInt(colons); i++) {
            at = config.indexOf(" : ", at + 1) < 0 ? at : config.indexOf(" : ", at + 1);
        }
        int end = config.indexOf('\n', at);
        boolean comma = config.charAt(end - 1) == ',';
        return config.substring(0, at + 3)
                + JSON_VALUES.get(random.nextInt(JSON_VALUES.size()))
                + config.substring(comma ? end - 1 : end);
    }

    private static void opensOrRefuses(byte[] config, byte[] weights, String what) {
        Arena arena = Arena.ofConfined();
        try (arena) {
            JsonFile json = JsonFile.parse(config, "fuzz/config.json");
            Model model = PackedModel.assemble(
                    Path.of("fuzz"),
                    json,
                    QuantizationJson.read(json),
                    new PackedTokenizer(new Mute(), null, null),
                    SafetensorsFile.of(MemorySegment.ofArray(weights), "fuzz/model.safetensors")
                            .tensors(),
                    arena);
            for (PackedMatrix matrix : model.packed().values()) {
                float[] row = new float[matrix.cols()];
                for (int r = 0; r < matrix.rows(); r++) {
                    matrix.dequantizeRow(r, row, 0);
                }
            }
            model.inputOrders().forEach((name, order) -> {
                float[] y = new float[order.size()];
                order.gather(new float[order.size()], y);
            });
        } catch (ObrException refused) {
            assertThat(refused.getMessage()).as(what).isNotBlank().doesNotContain("\n");
        } catch (Throwable other) {
            fail(what + " is neither opened nor refused", other);
        }
    }

    /** A tokenizer that fits any model. */
    private static final class Mute implements Tokenizer {
        @Override
        public int[] encode(String text, boolean addSpecialTokens) {
            return new int[0];
        }

        @Override
        public byte[] bytes(int id) {
            return new byte[0];
        }

        @Override
        public String piece(int id) {
            return "";
        }

        @Override
        public int id(String piece) {
            return -1;
        }

        @Override
        public int vocabularySize() {
            return 0;
        }

        @Override
        public boolean dropsLeadingSpace() {
            return false;
        }
    }
}
