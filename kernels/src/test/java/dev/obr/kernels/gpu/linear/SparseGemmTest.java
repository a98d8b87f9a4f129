package dev.obr.kernels.gpu.linear;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.LaunchCounters;
import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The sparse products, run instruction by instruction: equal to their scalar twin to the bit, and that to the truth within a rounding. */
class SparseGemmTest {
    @ParameterizedTest
    @CsvSource({
        // tile, layout, features, columns, tokens
        "VECTOR, INT4,   8,   128,   1",
        "VECTOR, INT4,  72,  1100,   3",
        "VECTOR, INT4,  16, 11008,   8",
        "VECTOR, INT8,  80,  1100,   3",
        "VECTOR, INT8,  16, 11008,   9",
        "SMALL,  INT4,   8,   128,   1",
        "SMALL,  INT4,  72,   200,   3",
        "SMALL,  INT4, 144,   640,  17",
        "SMALL,  INT4,  16, 11008,   2",
        "SMALL,  INT8,   8,   128,   1",
        "SMALL,  INT8,  72,   200,   3",
        "SMALL,  INT8, 144,   640,  17",
        "SMALL,  INT8,  16, 11008,   2",
        "MEDIUM, INT4, 144,   256,  33",
        "MEDIUM, INT8, 144,   256,  33",
        "SQUARE, INT4, 120,   640, 129",
        "SQUARE, INT8, 120,   640, 129",
        "LARGE,  INT4, 264,   384, 100",
        "LARGE,  INT8, 264,   384, 100",
    })
    void productsEqualTheirTwin(SparseGemm.Tile tile, TokenLayout layout, int features, int columns, int tokens) {
        GemmCase gemm = GemmCase.random(layout, features, columns, tokens, tokens % 2 == 1, tokens % 2 == 1);
        short[] expected = gemm.twin();
        gemm.checkNearTruth(expected);
        for (Schedule schedule : new Schedule[] {Schedule.ROUND_ROBIN, Schedule.REVERSED}) {
            try (DeviceRun run = new DeviceRun(capability(layout), schedule)) {
                assertThat(gemm.run(run, tile)).as("%s", schedule).isEqualTo(expected);
                checkCounters(run.counters(), tile, layout, features);
            }
        }
    }

    /** Shapes of a model, a block's whole width or depth. */
    @Tag("emulator")
    @ParameterizedTest
    @CsvSource({
        "VECTOR, INT4, 4096,  4096,   1",
        "VECTOR, INT8, 4096,  4096,   1",
        "SMALL,  INT4,  256, 11008,  16",
        "MEDIUM, INT4,  512,  2048,  96",
        "SQUARE, INT4,  384, 11008, 256",
        "LARGE,  INT4,  768,  4096, 300",
        "SMALL,  INT8,  256, 11008,  16",
        "MEDIUM, INT8,  512,  2048,  96",
        "SQUARE, INT8,  384, 11008, 256",
        "LARGE,  INT8,  768,  4096, 300",
    })
    void productsOfAModelsShapesEqualTheirTwin(
            SparseGemm.Tile tile, TokenLayout layout, int features, int columns, int tokens) {
        GemmCase gemm = GemmCase.random(layout, features, columns, tokens, false, false);
        try (DeviceRun run = new DeviceRun(capability(layout), Schedule.GREEDY)) {
            assertThat(gemm.run(run, tile)).isEqualTo(gemm.twin());
            checkCounters(run.counters(), tile, layout, features);
        }
    }

    /** The least codes at the most columns, where 16 W.x is 2^28, but for one activation: a bias takes away all but the 8 that it makes, which survive only where all are exact. */
    @ParameterizedTest
    @EnumSource
    void theLargestProductIsExact(TokenLayout layout) {
        int least = layout == TokenLayout.INT4 ? -8 : -128;
        float largest = -8f * least * SparseGemm.MOST_COLUMNS / 2;
        GemmCase gemm = GemmCase.constant(layout, 8, SparseGemm.MOST_COLUMNS, -8, least, -largest);
        for (SparseGemm.Tile tile : List.of(SparseGemm.Tile.VECTOR, SparseGemm.Tile.SMALL)) {
            try (DeviceRun run = new DeviceRun(capability(layout), Schedule.ROUND_ROBIN)) {
                for (short y : gemm.run(run, tile)) {
                    assertThat(Float.float16ToFloat(y)).as("%s", tile).isEqualTo(-8);
                }
            }
        }
    }

    /**
     * Bank conflicts and unused bytes of sectors stay below a tenth. Not asked where rows of results begin within a sector, nor of the activations of {@code spgemm_s8_16x8}, which takes half
     * sectors of them, the other half from L1.
     */
    private static void checkCounters(LaunchCounters counters, SparseGemm.Tile tile, TokenLayout layout, int features) {
        String worst = "the worst lines: " + counters.worst(4);
        assertThat((double) counters.sharedWavefronts())
                .as("wavefronts; %s", worst)
                .isLessThanOrEqualTo(1.1 * counters.idealSharedWavefronts());
        if (features % 16 == 0) {
            assertThat((double) counters.globalStoreSectors())
                    .as("stored sectors; %s", worst)
                    .isLessThanOrEqualTo(1.1 * counters.idealGlobalStoreSectors());
            if (tile != SparseGemm.Tile.VECTOR || layout == TokenLayout.INT4) {
                assertThat((double) counters.globalLoadSectors())
                        .as("loaded sectors; %s", worst)
                        .isLessThanOrEqualTo(1.1 * counters.idealGlobalLoadSectors());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, VECTOR",
        "8, VECTOR",
        "9, SMALL",
        "16, SMALL",
        "17, MEDIUM",
        "255, MEDIUM",
        "256, SQUARE",
        "2047, SQUARE",
        "2048, LARGE"
    })
    void moreTokensTakeLargerTiles(int tokens, SparseGemm.Tile tile) {
        assertThat(SparseGemm.Tile.of(tokens)).isEqualTo(tile);
    }

    /** sm_86 and sm_89 have 99 KB a block. */
    @ParameterizedTest
    @EnumSource
    void everyTileFitsEveryDevice(TokenLayout layout) {
        for (SparseGemm.Tile tile : SparseGemm.Tile.values()) {
            assertThat(tile.sharedBytes(layout)).as("%s", tile).isLessThanOrEqualTo(99 * 1024);
        }
    }

    @Test
    void argumentsThatDoNotFitAreSentences() {
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_90, Schedule.ROUND_ROBIN);
                SparseGemm gemm = new SparseGemm(run.device(), TokenLayout.INT8)) {
            GpuMemory some = run.device().allocate(1024);
            assertThatThrownBy(
                            () -> gemm.multiply(run.stream(), weights(12, 128, some), some, some, 1, null, null, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("12 output channels");
            assertThatThrownBy(
                            () -> gemm.multiply(run.stream(), weights(8, 32769, some), some, some, 1, null, null, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("32769 input channels");
            assertThatThrownBy(
                            () -> gemm.multiply(run.stream(), weights(8, 128, some), some, some, 0, null, null, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("0 tokens");
            assertThatThrownBy(
                            () -> gemm.multiply(run.stream(), weights(8, 128, some), some, some, 9, null, null, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("codes has 1024 bytes, but 1152 are needed");
            assertThatThrownBy(() -> new SparseGemm(run.device(), TokenLayout.INT4))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("sm_90");
        }
    }

    private static SparseWeights weights(int features, int columns, GpuMemory memory) {
        return new SparseWeights(features, columns, memory);
    }

    static ComputeCapability capability(TokenLayout layout) {
        return layout == TokenLayout.INT4 ? ComputeCapability.SM_80 : ComputeCapability.SM_90;
    }
}
