package dev.obr.kernels.gpu.linear;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.LaunchCounters;
import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.packed.Pattern;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The products of weights on each pattern, run instruction by instruction: equal to their scalar twin to the bit, and that to the truth within a rounding. */
class SparseGemmTest {
    @ParameterizedTest
    @CsvSource({
        // pattern, tile, layout, features, columns, tokens
        "PAIRS_4_OF_8, VECTOR, INT4,   8,   128,   1",
        "PAIRS_4_OF_8, VECTOR, INT4,  72,  1100,   3",
        "PAIRS_4_OF_8, VECTOR, INT4,  16, 11008,   8",
        "PAIRS_4_OF_8, VECTOR, INT8,  80,  1100,   3",
        "PAIRS_4_OF_8, VECTOR, INT8,  16, 11008,   9",
        "PAIRS_4_OF_8, SMALL,  INT4,   8,   128,   1",
        "PAIRS_4_OF_8, SMALL,  INT4,  72,   200,   3",
        "PAIRS_4_OF_8, SMALL,  INT4, 144,   640,  17",
        "PAIRS_4_OF_8, SMALL,  INT4,  16, 11008,   2",
        "PAIRS_4_OF_8, SMALL,  INT8,   8,   128,   1",
        "PAIRS_4_OF_8, SMALL,  INT8,  72,   200,   3",
        "PAIRS_4_OF_8, SMALL,  INT8, 144,   640,  17",
        "PAIRS_4_OF_8, SMALL,  INT8,  16, 11008,   2",
        "PAIRS_4_OF_8, MEDIUM, INT4, 144,   256,  33",
        "PAIRS_4_OF_8, MEDIUM, INT8, 144,   256,  33",
        "PAIRS_4_OF_8, SQUARE, INT4, 120,   640, 129",
        "PAIRS_4_OF_8, SQUARE, INT8, 120,   640, 129",
        "PAIRS_4_OF_8, LARGE,  INT4, 264,   384, 100",
        "PAIRS_4_OF_8, LARGE,  INT8, 264,   384, 100",
        "TWO_OF_FOUR,  VECTOR, INT8,   8,   128,   1",
        "TWO_OF_FOUR,  VECTOR, INT8,  80,  1102,   3",
        "TWO_OF_FOUR,  VECTOR, INT8,  16, 11008,   9",
        "TWO_OF_FOUR,  SMALL,  INT8,   8,   128,   1",
        "TWO_OF_FOUR,  SMALL,  INT8, 144,   644,  17",
        "TWO_OF_FOUR,  MEDIUM, INT8, 144,   256,  33",
        "TWO_OF_FOUR,  SQUARE, INT8, 120,   640, 129",
        "TWO_OF_FOUR,  LARGE,  INT8, 264,   384, 100",
        "DENSE,        VECTOR, INT4,   8,   128,   1",
        "DENSE,        VECTOR, INT4,  80,  1101,   3",
        "DENSE,        VECTOR, INT8,  80,  1101,   9",
        "DENSE,        SMALL,  INT4, 144,   643,  17",
        "DENSE,        SMALL,  INT8, 144,   643,  17",
        "DENSE,        MEDIUM, INT4, 144,   256,  33",
        "DENSE,        MEDIUM, INT8, 144,   256,  33",
        "DENSE,        SQUARE, INT4, 120,   640, 129",
        "DENSE,        SQUARE, INT8, 120,   640, 129",
        "DENSE,        LARGE,  INT4, 264,   384, 100",
        "DENSE,        LARGE,  INT8, 264,   384, 100",
        "UNSTRUCTURED, VECTOR, INT8,   8,   128,   1",
        "UNSTRUCTURED, VECTOR, INT8,  80,  1101,   9",
        "UNSTRUCTURED, VECTORS_16, INT8, 72, 4099, 13",
        "UNSTRUCTURED, VECTORS_32, INT8, 48, 5000, 41",
        "FOUR_OF_EIGHT, VECTOR, INT8,  24,  1100,   3",
        "HALF_OF_64,   VECTORS_16, INT8, 32, 1110,   9",
    })
    void productsEqualTheirTwin(
            Pattern pattern, SparseGemm.Tile tile, TokenLayout layout, int features, int columns, int tokens) {
        GemmCase gemm = GemmCase.random(pattern, layout, features, columns, tokens, tokens % 2 == 1, tokens % 2 == 1);
        short[] expected = gemm.twin();
        gemm.checkNearTruth(expected);
        for (Schedule schedule : new Schedule[] {Schedule.ROUND_ROBIN, Schedule.REVERSED}) {
            try (DeviceRun run = new DeviceRun(capability(layout), schedule)) {
                assertThat(gemm.run(run, tile)).as("%s", schedule).isEqualTo(expected);
                checkCounters(run.counters(), tile, layout, features);
            }
        }
    }

    /** Thread blocks that share K leave the same results, and zeros for the next launch. */
    @ParameterizedTest
    @CsvSource({
        // pattern, tile, layout, features, columns, tokens, splits
        "PAIRS_4_OF_8, SMALL,  INT4,  72, 1100, 17, 2",
        "PAIRS_4_OF_8, MEDIUM, INT4, 144, 2048, 33, 5",
        "PAIRS_4_OF_8, SMALL,  INT8, 144,  640, 16, 5",
        "PAIRS_4_OF_8, MEDIUM, INT8, 128,  384, 40, 2",
        "TWO_OF_FOUR,  SMALL,  INT8,  72, 1100,  9, 3",
        "DENSE,        SMALL,  INT4,  72, 1100,  9, 3",
        "DENSE,        MEDIUM, INT8, 144,  640, 20, 4",
    })
    void productsWhoseColumnsAreSharedEqualTheirTwin(
            Pattern pattern,
            SparseGemm.Tile tile,
            TokenLayout layout,
            int features,
            int columns,
            int tokens,
            int splits) {
        GemmCase gemm = GemmCase.random(pattern, layout, features, columns, tokens, true, true);
        short[] expected = gemm.twin();
        for (Schedule schedule : new Schedule[] {Schedule.ROUND_ROBIN, Schedule.REVERSED}) {
            try (DeviceRun run = new DeviceRun(capability(layout), schedule);
                    SparseGemm kernel = new SparseGemm(run.device(), pattern, layout)) {
                for (int launch = 0; launch < 2; launch++) {
                    assertThat(gemm.run(run, tile, splits, kernel))
                            .as("%s, launch %d", schedule, launch)
                            .isEqualTo(expected);
                }
                checkCounters(run.counters(), tile, layout, features);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        // tile, tiles, steps, splits on 108 multiprocessors
        "SMALL,   64,  32, 4", // 4096 x 4096
        "SMALL,   64,  86, 4",
        "SMALL,  172,  32, 2",
        "SMALL,  216, 100, 1",
        "SMALL,   16,   9, 1",
        "MEDIUM,  32,  86, 7",
        "SQUARE,   1, 100, 1",
        "VECTOR,   1, 100, 1",
    })
    void fewTilesAreShared(SparseGemm.Tile tile, int tiles, int steps, int splits) {
        assertThat(tile.splits(tiles, steps, 108)).isEqualTo(splits);
    }

    /** Shapes of a model, a block's whole width or depth. */
    @Tag("emulator")
    @ParameterizedTest
    @CsvSource({
        "PAIRS_4_OF_8, VECTOR, INT4, 4096,  4096,   1",
        "PAIRS_4_OF_8, VECTOR, INT8, 4096,  4096,   1",
        "PAIRS_4_OF_8, SMALL,  INT4,  256, 11008,  16",
        "PAIRS_4_OF_8, MEDIUM, INT4,  512,  2048,  96",
        "PAIRS_4_OF_8, SQUARE, INT4,  384, 11008, 256",
        "PAIRS_4_OF_8, LARGE,  INT4,  768,  4096, 300",
        "PAIRS_4_OF_8, SMALL,  INT8,  256, 11008,  16",
        "PAIRS_4_OF_8, MEDIUM, INT8,  512,  2048,  96",
        "PAIRS_4_OF_8, SQUARE, INT8,  384, 11008, 256",
        "PAIRS_4_OF_8, LARGE,  INT8,  768,  4096, 300",
        "TWO_OF_FOUR,  VECTOR, INT8, 4096,  4096,   1",
        "TWO_OF_FOUR,  LARGE,  INT8,  768,  4096, 300",
        "DENSE,        VECTOR, INT4, 4096,  4096,   1",
        "DENSE,        LARGE,  INT8,  768,  4096, 300",
        "UNSTRUCTURED, VECTOR, INT8, 1024,  4096,   1",
    })
    void productsOfAModelsShapesEqualTheirTwin(
            Pattern pattern, SparseGemm.Tile tile, TokenLayout layout, int features, int columns, int tokens) {
        GemmCase gemm = GemmCase.random(pattern, layout, features, columns, tokens, false, false);
        try (DeviceRun run = new DeviceRun(capability(layout), Schedule.GREEDY)) {
            assertThat(gemm.run(run, tile)).isEqualTo(gemm.twin());
            checkCounters(run.counters(), tile, layout, features);
        }
    }

    /** The least codes at the most columns, where 16 W.x is 2^28, but for one activation: a bias takes away all but the 8 that it makes, which survive only where all are exact. */
    @ParameterizedTest
    @CsvSource({
        "PAIRS_4_OF_8, INT4",
        "PAIRS_4_OF_8, INT8",
        "TWO_OF_FOUR, INT8",
        "DENSE, INT4",
        "DENSE, INT8",
    })
    void theLargestProductIsExact(Pattern pattern, TokenLayout layout) {
        int least = layout == TokenLayout.INT4 ? -8 : -128;
        float largest = -8f * least * SparseGemm.MOST_COLUMNS / (pattern == Pattern.DENSE ? 1 : 2);
        GemmCase gemm = GemmCase.constant(pattern, layout, 8, SparseGemm.MOST_COLUMNS, -8, least, -largest);
        for (SparseGemm.Tile tile : List.of(SparseGemm.Tile.VECTOR, SparseGemm.Tile.SMALL)) {
            try (DeviceRun run = new DeviceRun(capability(layout), Schedule.ROUND_ROBIN)) {
                for (short y : gemm.run(run, tile)) {
                    assertThat(Float.float16ToFloat(y)).as("%s", tile).isEqualTo(-8);
                }
            }
        }
    }

    /**
     * Bank conflicts and unused bytes of sectors stay below a tenth. Not asked where rows of results begin within a sector, nor of the activations of {@code *_s8_16x8} and {@code gemm_bitmap_*}, which take half
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
            if (tile.sharedBytes(FragmentOrder.DENSE, layout) > 0 || layout == TokenLayout.INT4) {
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
        assertThat(SparseGemm.Tile.of(FragmentOrder.PAIRS, tokens)).isEqualTo(tile);
    }

    /** sm_86 and sm_89 have 99 KB a block. */
    @ParameterizedTest
    @EnumSource
    void everyTileFitsEveryDevice(TokenLayout layout) {
        for (FragmentOrder order :
                new FragmentOrder[] {FragmentOrder.PAIRS, FragmentOrder.FOURS, FragmentOrder.DENSE}) {
            for (SparseGemm.Tile tile : SparseGemm.Tile.values()) {
                assertThat(tile.sharedBytes(order, layout))
                        .as("%s of %s", tile, order)
                        .isLessThanOrEqualTo(99 * 1024);
            }
        }
    }

    @Test
    void argumentsThatDoNotFitAreSentences() {
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_90, Schedule.ROUND_ROBIN);
                SparseGemm gemm = new SparseGemm(run.device(), Pattern.PAIRS_4_OF_8, TokenLayout.INT8)) {
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
            assertThatThrownBy(() -> new SparseGemm(run.device(), Pattern.PAIRS_4_OF_8, TokenLayout.INT4))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("sm_90");
            assertThatThrownBy(() -> new SparseGemm(run.device(), Pattern.TWO_OF_FOUR, TokenLayout.INT4))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("2:4");
            SparseWeights others = new SparseWeights(Pattern.DENSE, 8, 128, some, 512, 640);
            assertThatThrownBy(() -> gemm.multiply(run.stream(), others, some, some, 1, null, null, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("weights on dense");
        }
    }

    private static SparseWeights weights(int features, int columns, GpuMemory memory) {
        return new SparseWeights(Pattern.PAIRS_4_OF_8, features, columns, memory, 512, 640);
    }

    static ComputeCapability capability(TokenLayout layout) {
        return layout == TokenLayout.INT4 ? ComputeCapability.SM_80 : ComputeCapability.SM_90;
    }
}
