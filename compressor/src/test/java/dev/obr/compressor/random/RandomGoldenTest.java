package dev.obr.compressor.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Equal seeds draw what CPython and PyTorch draw. */
class RandomGoldenTest {
    private static List<JsonNode> cases() throws IOException {
        Path manifest = Path.of("src/test/resources/golden/manifest.json");
        return JsonMapper.shared()
                .readTree(Files.readAllBytes(manifest))
                .get("cases")
                .valueStream()
                .filter(c -> c.get("kind").stringValue().equals("rng"))
                .toList();
    }

    private static int[] integers(JsonNode array) {
        return array.valueStream().mapToInt(JsonNode::intValue).toArray();
    }

    @Test
    void drawsAsCPython() throws IOException {
        assertThat(cases()).isNotEmpty();
        for (JsonNode golden : cases()) {
            JsonNode params = golden.get("params");
            PythonRandom random = new PythonRandom(params.get("seed").longValue());
            int bound =
                    params.get("token_count").intValue() - params.get("seqlen").intValue();
            int[] expected = integers(golden.get("python_randint_starts"));
            int[] drawn = new int[expected.length];
            for (int i = 0; i < drawn.length; i++) {
                drawn[i] = random.below(bound);
            }
            assertThat(drawn).isEqualTo(expected);
        }
    }

    @Test
    void drawsSignsAsPyTorch() throws IOException {
        for (JsonNode golden : cases()) {
            List<Integer> bits = new ArrayList<>();
            for (int sign : TorchSigns.draw(golden.get("params").get("seed").longValue(), 64)) {
                bits.add((sign + 1) / 2);
            }
            assertThat(bits.stream().mapToInt(Integer::intValue).toArray())
                    .isEqualTo(integers(golden.get("torch_randint_0_2_first64")));
        }
    }

    /** random.seed(2**40 + 5) and random.seed(-7) of CPython 3, then randint(0, 999) four times. */
    @Test
    void takesLongAndNegativeSeeds() {
        assertThat(draw(1L << 40 | 5)).isEqualTo(new int[] {516, 529, 275, 679});
        assertThat(draw(-7)).isEqualTo(draw(7)).isEqualTo(new int[] {331, 970, 154, 404});
        assertThat(new PythonRandom(1).below(1)).isZero();
        assertThatThrownBy(() -> new PythonRandom(1).below(0)).hasMessageContaining("below 0");
    }

    private static int[] draw(long seed) {
        PythonRandom random = new PythonRandom(seed);
        return new int[] {random.below(1000), random.below(1000), random.below(1000), random.below(1000)};
    }
}
