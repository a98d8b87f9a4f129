package dev.obr.compressor.permutation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.obr.LayerCompressor;
import dev.obr.compressor.obr.LayerInput;
import dev.obr.compressor.obr.LayerStatistics;
import dev.obr.compressor.obr.Method;
import dev.obr.compressor.obr.ScalerVariant;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebras;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;
import dev.obr.kernels.packed.Pattern;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class OrderSearchTest {
    private static final LinearAlgebra ALGEBRA =
            LinearAlgebras.choose(System.getenv()).algebra();
    private static final CompressionOptions OPTIONS =
            CompressionOptions.defaults().withPattern(Pattern.PAIRS_4_OF_8);
    private static final int COLS = 64;
    private static final int TOKENS = 48;

    private final ThreadTeam team = new ThreadTeam(2);

    @AfterEach
    void close() {
        team.close();
    }

    /** Inputs of one window after another; a token is made by {@code source}. */
    private interface Source {
        void token(Random random, float[] x);
    }

    /** As heads of unlike strength are: neighbours are correlated, and all columns of a chunk matter, or none. */
    private static void loudChunks(Random random, float[] x) {
        for (int c = 0; c < x.length; c += 8) {
            double signal = random.nextGaussian();
            for (int i = c; i < c + 8; i++) {
                x[i] = (float) ((0.7 * signal + random.nextGaussian()) * (c % 16 == 0 ? 10 : 0.1));
            }
        }
    }

    /**
     * Every other chunk of 8 columns sees one signal, nearly. Each of its columns alone can be spared, so the greedy order would have all of them pruned: the search must see through that.
     */
    private static void correlatedChunks(Random random, float[] x) {
        for (int c = 0; c < x.length; c += 8) {
            double signal = random.nextGaussian();
            for (int i = c; i < c + 8; i++) {
                x[i] = (float) (c % 16 == 0 ? signal + 0.1 * random.nextGaussian() : random.nextGaussian());
            }
        }
    }

    private static void alike(Random random, float[] x) {
        for (int c = 0; c < x.length; c++) {
            x[c] = (float) random.nextGaussian();
        }
    }

    private LayerStatistics statistics() {
        return new LayerStatistics("the input", COLS, new TiledProducts(ALGEBRA, team));
    }

    private static void window(LayerStatistics statistics, Source source, int seed) {
        Random random = new Random(seed);
        float[] x = new float[COLS];
        for (int t = 0; t < TOKENS; t++) {
            source.token(random, x);
            statistics.add(x, 1);
        }
        statistics.endSequence();
    }

    private static List<Matrix> weights() {
        Random random = new Random(4);
        Matrix first = Matrix.zeros(96, COLS);
        Matrix second = Matrix.zeros(60, COLS);
        for (Matrix w : List.of(first, second)) {
            for (int i = 0; i < w.values().length; i++) {
                w.values()[i] = (float) random.nextGaussian();
            }
        }
        return List.of(first, second);
    }

    private OrderSearch search(Permute permute, CompressionOptions options) {
        return new OrderSearch(permute, options, new LayerCompressor(ALGEBRA, team), ALGEBRA, team);
    }

    private OrderChoice choice(Permute permute, CompressionOptions options, int windows, Source source) {
        OrderSearch search = search(permute, options);
        LayerStatistics statistics = statistics();
        FittedWindows fitted = search.windows(windows);
        for (int i = 0; i < windows; i++) {
            window(statistics, source, i);
            fitted.ended(statistics);
        }
        return search.choose("w", weights(), statistics.toInput(ScalerVariant.QUAROT), fitted);
    }

    @ParameterizedTest
    @EnumSource(
            value = Method.class,
            names = {"WANDA_RTN", "SPARSEGPT_GPTQ", "OBR_RTN", "OBR_GPTQ"})
    void unlikeChunksAreSpread(Method method) {
        OrderChoice choice = choice(Permute.AUTO, OPTIONS.withMethod(method), 9, OrderSearchTest::loudChunks);
        assertThat(choice.note()).startsWith("permuted: held-out loss x0.");
        assertThat(loss(choice, method, OrderSearchTest::loudChunks))
                .isLessThan(0.8 * loss(OrderChoice.NONE, method, OrderSearchTest::loudChunks));
    }

    /** Of the whole first weight, over windows of their own. */
    private double loss(OrderChoice choice, Method method, Source source) {
        LayerStatistics statistics = statistics();
        for (int i = 0; i < 9; i++) {
            window(statistics, source, 100 + i);
        }
        return new LayerCompressor(ALGEBRA, team)
                .compress(
                        "w",
                        choice.columnsOf(weights().getFirst()),
                        choice.reordered(statistics.toInput(ScalerVariant.QUAROT)),
                        OPTIONS.withMethod(method))
                .loss();
    }

    @Test
    void oneWindowIsFittedAndJudged() {
        assertThat(choice(Permute.AUTO, OPTIONS, 1, OrderSearchTest::loudChunks).note())
                .startsWith("permuted: loss x0.");
    }

    @ParameterizedTest
    @EnumSource(
            value = Method.class,
            names = {"WANDA_RTN", "OBR_GPTQ"})
    void anOrderThatLosesMoreIsRefused(Method method) {
        OrderChoice choice = choice(Permute.AUTO, OPTIONS.withMethod(method), 33, OrderSearchTest::correlatedChunks);
        assertThat(choice.order()).isNull();
        assertThat(choice.note()).startsWith("not permuted: held-out loss x1.");
    }

    @Test
    void whatGainsNothingStays() {
        int kept = 0;
        for (int windows = 2; windows < 12; windows++) {
            OrderChoice choice = choice(Permute.AUTO, OPTIONS, windows, OrderSearchTest::alike);
            if (choice.order() == null) {
                assertThat(choice.note()).startsWith("not permuted: held-out loss x1.");
                kept++;
            }
        }
        assertThat(kept).isPositive();
    }

    @Test
    void nothingIsSoughtUnlessAskedFor() {
        assertThat(choice(Permute.OFF, OPTIONS, 3, OrderSearchTest::loudChunks)).isEqualTo(OrderChoice.NONE);
        for (Pattern pattern : Pattern.values()) {
            if (pattern != Pattern.PAIRS_4_OF_8) {
                assertThat(choice(Permute.AUTO, OPTIONS.withPattern(pattern), 3, OrderSearchTest::loudChunks))
                        .isEqualTo(OrderChoice.NONE);
            }
        }
        assertThat(choice(Permute.AUTO, OPTIONS.withMethod(Method.GPTQ), 3, OrderSearchTest::loudChunks))
                .isEqualTo(OrderChoice.NONE);
    }

    /** Without comparing, and from all windows. */
    @Test
    void onTakesAnyGroupedPattern() {
        for (Pattern pattern : List.of(Pattern.TWO_OF_FOUR, Pattern.FOUR_OF_EIGHT, Pattern.HALF_OF_64)) {
            OrderChoice choice = choice(Permute.ON, OPTIONS.withPattern(pattern), 3, OrderSearchTest::loudChunks);
            assertThat(choice.note()).isEqualTo("permuted");
            assertThat(choice.order()).isNotNull();
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.NEGATIVE_INFINITY})
    void whatIsNoNumberIsLeftToTheCompression(float value) {
        List<Matrix> weights = weights();
        weights.getLast().values()[77] = value;
        LayerStatistics statistics = statistics();
        window(statistics, OrderSearchTest::alike, 1);
        OrderSearch search = search(Permute.AUTO, OPTIONS);
        assertThat(search.choose("w", weights, statistics.toInput(ScalerVariant.QUAROT), search.windows(1)))
                .isEqualTo(OrderChoice.NONE);
    }

    @Test
    void theChoiceDoesNotDependOnThreads() {
        ColumnOrder two =
                choice(Permute.AUTO, OPTIONS, 5, OrderSearchTest::loudChunks).order();
        try (ThreadTeam alone = new ThreadTeam(1)) {
            OrderSearch search =
                    new OrderSearch(Permute.AUTO, OPTIONS, new LayerCompressor(ALGEBRA, alone), ALGEBRA, alone);
            LayerStatistics statistics = new LayerStatistics("the input", COLS, new TiledProducts(ALGEBRA, alone));
            FittedWindows fitted = search.windows(5);
            for (int i = 0; i < 5; i++) {
                window(statistics, OrderSearchTest::loudChunks, i);
                fitted.ended(statistics);
            }
            assertThat(search.choose("w", weights(), statistics.toInput(ScalerVariant.QUAROT), fitted)
                            .order())
                    .isEqualTo(Objects.requireNonNull(two));
        }
    }

    /** Of 17 windows the last 2 are held out, and the judge knows them alone. */
    @Test
    void theLastEighthIsHeldOut() {
        FittedWindows fitted = FittedWindows.mostOf(17, ScalerVariant.QUAROT);
        LayerStatistics all = statistics();
        LayerStatistics first = statistics();
        LayerStatistics last = statistics();
        for (int i = 0; i < 17; i++) {
            window(all, OrderSearchTest::correlatedChunks, i);
            fitted.ended(all);
            window(i < 15 ? first : last, OrderSearchTest::correlatedChunks, i);
        }
        LayerInput whole = all.toInput(ScalerVariant.QUAROT);
        LayerInput expected = first.toInput(ScalerVariant.QUAROT);
        assertThat(fitted.fitted(whole).hessian().values())
                .containsExactly(expected.hessian().values(), within(1e-3f));
        assertThat(fitted.fitted(whole).scalerRow()).containsExactly(expected.scalerRow(), within(1e-3f));
        assertThat(fitted.judge(whole).values())
                .containsExactly(last.toInput(ScalerVariant.QUAROT).hessian().values(), within(1e-2f));
    }
}
