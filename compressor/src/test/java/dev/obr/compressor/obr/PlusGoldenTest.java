package dev.obr.compressor.obr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.Golden;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebras;
import dev.obr.kernels.packed.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** obr-plus on the public layers: against the losses that an independent implementation in double precision reached, and against the other methods. */
class PlusGoldenTest {
    private static final LinearAlgebra ALGEBRA =
            LinearAlgebras.choose(System.getenv()).algebra();
    private static final ThreadTeam TEAM = new ThreadTeam(2);

    @AfterAll
    static void closeTeam() {
        TEAM.close();
    }

    @ParameterizedTest
    @CsvSource({
        "A, unstructured, 7.477",
        "A, 2:4, 14.00",
        "A, 4:8, 10.22",
        "A, 4:8p, 21.25",
        "B, unstructured, 24.72",
        "B, 2:4, 43.77",
        "B, 4:8, 33.98",
        "B, 4:8p, 72.96",
        "C, unstructured, 5.337",
        "C, 2:4, 10.51",
        "C, 4:8, 8.006",
        "C, 4:8p, 17.58"
    })
    void reachesTheReferencesLoss(String name, String pattern, double expected) {
        CompressionOptions options = CompressionOptions.defaults()
                .withPattern(Pattern.parse(pattern))
                .withWeightClip(true);
        double plus = loss(name, options.withMethod(Method.OBR_PLUS));
        assertThat(plus).isCloseTo(expected, within(0.02 * expected));
        assertThat(plus).isLessThanOrEqualTo(0.84 * loss(name, options.withMethod(Method.OBR_GPTQ)));
        assertThat(plus).isLessThanOrEqualTo(0.77 * loss(name, options.withMethod(Method.SPARSEGPT_GPTQ)));
    }

    private static double loss(String name, CompressionOptions options) {
        Golden golden = Golden.input(name);
        LayerInput input = new LayerInput(name, golden.matrix("H"), golden.array("scaler_row_quarot"));
        return new LayerCompressor(ALGEBRA, TEAM)
                .compress(name, golden.matrix("W"), input, options)
                .loss();
    }
}
