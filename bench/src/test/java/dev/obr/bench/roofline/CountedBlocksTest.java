package dev.obr.bench.roofline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What the emulator counts of a block is what its tile needs, computed by hand. */
final class CountedBlocksTest {
    private static final Roofline ROOFLINE = new Roofline();

    /**
     * <pre>
     *   a step of 128 columns     products                   wavefronts of 128 bytes                                     bytes copied
     *   4:8p s4, 256 x 128        8 warps · 4 · 8            8 · (4 · 640 + 8 · 512) / 128 read, 144 copied              16 · 640 + 128 · 64
     *   dense s4, 256 x 128       8 warps · 4 · 8 · 2        8 · (4 · 1024 + 8 · 512) / 128 read, 192 copied             16 · 1024 + 128 · 64
     *   4:8p s8, 256 x 128        8 warps · 4 · 8 · 2        8 · (4 · 640 + 8 · 1024) / 128 read, 208 copied             16 · 640 + 128 · 128
     *   fp16, 128 x 128           4 warps · 4 · 8 · 8        4 · 2 · 64 rows · 256 / 128 read, 512 copied                2 · 128 · 256
     *   4:8p s4, 16 x 8           1, from registers          none                                                        640 + a token's 64
     * </pre>
     */
    static Stream<Arguments> steps() {
        return Stream.of(
                Arguments.of(ProductKernel.PAIRS_INT4, 2048, 256, 416 + 144, 18_432),
                Arguments.of(ProductKernel.DENSE_INT4, 2048, 512, 512 + 192, 24_576),
                Arguments.of(ProductKernel.PAIRS_INT8, 2048, 512, 672 + 208, 26_624),
                Arguments.of(ProductKernel.HALF, 2048, 1024, 1024 + 512, 65_536),
                Arguments.of(ProductKernel.PAIRS_INT4, 1, 1, 0, 704),
                Arguments.of(ProductKernel.PAIRS_INT4, 8, 1, 0, 640 + 8 * 64),
                Arguments.of(ProductKernel.DENSE_INT4, 1, 2, 0, 1024 + 64));
    }

    @ParameterizedTest
    @MethodSource("steps")
    void aStep(ProductKernel kernel, int tokens, double products, double wavefronts, double bytes) {
        Counts step = ROOFLINE.cost(Gpu.A100, new Product(kernel, tokens, 4096, 4096, false))
                .step();
        assertThat(step.products().values()).singleElement().isEqualTo(products);
        assertThat(step.wavefronts()).isEqualTo(wavefronts);
        assertThat(step.loadedBytes()).isEqualTo(bytes);
        assertThat(step.storedBytes()).isZero();
    }

    /** The end of a block: fp16 results, each once, and no product. */
    @ParameterizedTest
    @CsvSource({"PAIRS_INT4, 2048, 256, 128", "HALF, 2048, 128, 128", "PAIRS_INT4, 8, 16, 8"})
    void theEnd(ProductKernel kernel, int tokens, int tileFeatures, int tileTokens) {
        Counts fixed = ROOFLINE.cost(Gpu.A100, new Product(kernel, tokens, 4096, 4096, false))
                .fixed();
        assertThat(fixed.storedBytes()).isEqualTo(2 * tileFeatures * tileTokens);
        assertThat(fixed.products().values()).allMatch(products -> products == 0);
    }

    @ParameterizedTest
    @CsvSource({
        "PAIRS_INT4, 2.5",
        "FOURS_INT8, 3",
        "DENSE_INT4, 4",
        "HALF, 16",
        "BITMAP_INT8, 3.078" // 256 + 512 + 8 bytes a block rounded up to 16, 4 of where it begins
    })
    void weightsHaveTheirBits(ProductKernel kernel, double bits) {
        Product product = new Product(kernel, 1, 4096, 4096, false);
        double weights = 4096.0 * 4096;
        long scales = kernel == ProductKernel.HALF ? 0 : 4 * 4096;
        assertThat((product.weightBytes() - scales) * 8 / weights).isCloseTo(bits, within(1e-3));
    }

    /** Weights, scales, codes with their scales, results; a residual is read, too. */
    @ParameterizedTest
    @CsvSource({"false, 1", "true, 2"})
    void operandsAndResultsOnce(boolean residual, int ofResults) {
        Product product = new Product(ProductKernel.PAIRS_INT4, 2048, 4096, 4096, residual);
        assertThat(product.dramBytes())
                .isEqualTo(5_242_880 + 16_384 + 2048 * (2048 + 4) + ofResults * 2L * 2048 * 4096);
    }
}
