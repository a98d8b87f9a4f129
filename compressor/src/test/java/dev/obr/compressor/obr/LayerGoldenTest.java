package dev.obr.compressor.obr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.Golden;
import dev.obr.compressor.mask.MaskMetric;
import dev.obr.compressor.quantizer.WeightGrid;
import dev.obr.compressor.quantizer.WeightQuantizer;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.InverseFactor;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebras;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;
import dev.obr.kernels.packed.Pattern;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole layers against what the published code made of them, within the manifest's tolerances. */
class LayerGoldenTest {
    private static final LinearAlgebra ALGEBRA =
            LinearAlgebras.choose(System.getenv()).algebra();
    private static final ThreadTeam TEAM = new ThreadTeam(2);

    @AfterAll
    static void closeTeam() {
        TEAM.close();
    }

    static List<Golden> obr() {
        return Golden.ofKind("obr");
    }

    static List<Golden> sparseGpt() {
        return Golden.ofKind("sparsegpt_gptq_baseline");
    }

    static Stream<Golden> gptq() {
        return Golden.ofKind("gptq").stream()
                .filter(golden -> !golden.json().path("params").has("groupsize"));
    }

    static Stream<Golden> gptqInGroups() {
        return Golden.ofKind("gptq").stream()
                .filter(golden -> golden.json().path("params").has("groupsize"));
    }

    static List<Golden> roundToNearest() {
        return Golden.ofKind("rtn");
    }

    static List<Golden> quantizationOnly() {
        return Golden.ofKind("obr_quant_only");
    }

    static List<Golden> masks() {
        return Golden.ofKind("mask");
    }

    @ParameterizedTest
    @MethodSource
    void obr(Golden golden) {
        CompressionOptions options = options(golden).withSolver(Solver.CHOLESKY);
        CompressedLayer layer = compress(golden, options);
        checkMask(layer, golden);
        checkLayer(layer, golden, golden.scalar("loss_obr"));
        if (golden.has("w_prune_comp")) { // alpha 1 and no further rounding: only what pruning took is restored
            Matrix w = golden.inputMatrix("W");
            DampedHessian hessian = DampedHessian.of(golden.inputMatrix("H"), options.percdamp());
            checkClose(restored(golden, layer, hessian, w, 1), golden.array("w_prune_comp"), golden);
            checkClose(restored(golden, layer, hessian, w, options.alpha()), golden.array("w_comp"), golden);
        }
    }

    /** The losses that the published code's baselines reach on the same layers. */
    @ParameterizedTest
    @MethodSource("obr")
    void baselinesReachTheSameLosses(Golden golden) {
        CompressionOptions options = options(golden);
        if (golden.json().path("scalars").path("loss_wanda_rtn").isNumber()) {
            double pruned = golden.scalar("loss_wanda_rtn");
            assertThat(compress(golden, options.withMethod(Method.WANDA_RTN)).loss())
                    .isCloseTo(pruned, within(0.005 * pruned));
        }
        if (golden.json().path("scalars").path("loss_sparsegpt_gptq").isNumber()) {
            double joint = golden.scalar("loss_sparsegpt_gptq");
            assertThat(compress(golden, options.withMethod(Method.SPARSEGPT_GPTQ))
                            .loss())
                    .isCloseTo(joint, within(0.005 * joint));
        }
    }

    @ParameterizedTest
    @MethodSource("obr")
    void conjugateGradientsReachTheSameLoss(Golden golden) {
        CompressedLayer layer = compress(golden, options(golden).withSolver(Solver.PCG));
        checkMask(layer, golden);
        assertThat(layer.loss()).isCloseTo(golden.scalar("loss_obr"), within(0.02 * golden.scalar("loss_obr")));
        assertThat(Objects.requireNonNull(layer.certificate()).relativeExcess()).isBetween(0.0, 2e-4);
    }

    @ParameterizedTest
    @MethodSource
    void sparseGpt(Golden golden) {
        CompressedLayer layer = compress(golden, options(golden).withMethod(Method.SPARSEGPT_GPTQ));
        checkLayer(layer, golden, golden.scalar("loss"));
    }

    @ParameterizedTest
    @MethodSource
    void gptq(Golden golden) {
        CompressionOptions options = options(golden)
                .withMethod(Method.GPTQ)
                .withActOrder(golden.parameter("actorder").asBoolean(false));
        CompressedLayer layer = compress(golden, options);
        checkScale(layer.scale(), golden);
        checkValues(layer, golden);
        assertThat(layer.loss()).isCloseTo(golden.scalar("loss"), relative(golden.scalar("loss"), golden));
    }

    @ParameterizedTest
    @MethodSource
    void gptqInGroups(Golden golden) {
        Matrix v = golden.inputMatrix("W");
        CompressionOptions options = options(golden);
        WeightGrid grid = new WeightGrid(
                options.bits(),
                options.symmetric(),
                options.weightClip(),
                golden.parameter("groupsize").asInt());
        WeightQuantizer quantizer = WeightQuantizer.fit(v, grid, TEAM);
        DampedHessian hessian = DampedHessian.of(golden.inputMatrix("H"), options.percdamp());
        new GptqSweep(ALGEBRA, TEAM, InverseFactor.upper(ALGEBRA, TEAM, hessian.matrix()), options.blockSize())
                .run(v, quantizer, (row, col) -> true, new int[v.rows()]);
        float[] expected = golden.array("w_hat");
        int different = 0;
        for (int i = 0; i < expected.length; i++) {
            different += Math.abs(v.values()[i] - expected[i]) > 1e-4 ? 1 : 0;
        }
        assertThat((double) different / expected.length)
                .isLessThanOrEqualTo(golden.tolerance("codes_mismatch_fraction"));
    }

    @ParameterizedTest
    @MethodSource
    void roundToNearest(Golden golden) {
        CompressedLayer layer = compress(golden, options(golden).withMethod(Method.RTN));
        checkScale(layer.scale(), golden);
        checkValues(layer, golden);
        assertThat(layer.loss()).isCloseTo(golden.scalar("loss"), within(0.005 * golden.scalar("loss")));
    }

    @ParameterizedTest
    @MethodSource
    void quantizationOnly(Golden golden) {
        CompressedLayer layer = compress(golden, options(golden).withMethod(Method.QUANT_ONLY));
        checkScale(layer.scale(), golden);
        checkValues(layer, golden);
        assertThat(layer.loss()).isCloseTo(golden.scalar("loss"), relative(golden.scalar("loss"), golden));
    }

    @ParameterizedTest
    @MethodSource
    void masks(Golden golden) {
        CompressedLayer layer = compress(
                golden,
                CompressionOptions.defaults()
                        .withMethod(Method.WANDA_RTN)
                        .withMetric(MaskMetric.parse(golden.parameter("metric").asString()))
                        .withSparsity(golden.parameter("ratio").asDouble()));
        checkMask(layer, golden);
    }

    @ParameterizedTest
    @EnumSource(ScalerVariant.class)
    void statisticsOfTheInputs(ScalerVariant variant) {
        for (String name : List.of("A", "B", "C")) {
            Golden golden = Golden.input(name);
            Matrix x = golden.matrix("X");
            int tokens = 128;
            for (int chunk : new int[] {tokens, 50}) { // sequences whole, and in pieces
                LayerStatistics statistics = new LayerStatistics(name, x.cols(), new TiledProducts(ALGEBRA, TEAM));
                for (int sequence = 0; sequence < x.rows() / tokens; sequence++) {
                    for (int from = 0; from < tokens; from += chunk) {
                        int count = Math.min(chunk, tokens - from);
                        int start = (sequence * tokens + from) * x.cols();
                        statistics.add(Arrays.copyOfRange(x.values(), start, start + count * x.cols()), count);
                    }
                    statistics.endSequence();
                }
                LayerInput input = statistics.toInput(variant);
                float[] h = golden.array("H");
                assertThat(largestDifference(input.hessian().values(), h)).isLessThan(1e-6 * largest(h));
                float[] s = golden.array("scaler_row_" + variant.name().toLowerCase(Locale.ROOT));
                assertThat(largestDifference(input.scalerRow(), s)).isLessThan(1e-6 * largest(s));
            }
        }
    }

    private static CompressedLayer compress(Golden golden, CompressionOptions options) {
        String scaler = "scaler_row_" + options.scaler().name().toLowerCase(Locale.ROOT);
        LayerInput input = new LayerInput(golden.id(), golden.inputMatrix("H"), golden.inputArray(scaler));
        return new LayerCompressor(ALGEBRA, TEAM).compress(golden.id(), golden.inputMatrix("W"), input, options);
    }

    private static CompressionOptions options(Golden golden) {
        String pattern = golden.parameter("prune_m").asInt(0) == 0
                ? "unstructured"
                : golden.parameter("prune_n").asInt() + ":"
                        + golden.parameter("prune_m").asInt();
        return CompressionOptions.defaults()
                .withMethod(golden.parameter("final").asString("").equals("rtn") ? Method.OBR_RTN : Method.OBR_GPTQ)
                .withPattern(Pattern.parse(pattern))
                .withSparsity(golden.parameter("sparsity_ratio").asDouble(0.5))
                .withAlpha(golden.parameter("alpha").asDouble(0.5))
                .withBits(golden.parameter("bits").asInt(4))
                .withSymmetric(golden.parameter("sym").asBoolean(true))
                .withWeightClip(golden.parameter("mse_clip").asBoolean())
                .withBlockSize(golden.parameter("blocksize").asInt(128))
                .withPercdamp(golden.parameter("percdamp").asDouble(0.01))
                .withScaler(
                        golden.parameter("scaler").asString("quarot").equals("quarot")
                                ? ScalerVariant.QUAROT
                                : ScalerVariant.SPINQUANT);
    }

    private static Matrix restored(
            Golden golden, CompressedLayer layer, DampedHessian hessian, Matrix w, double alpha) {
        WeightQuantizer quantizer = WeightQuantizer.fit(w, options(golden).grid(), TEAM);
        Matrix alive = hessian.withoutDeadColumns(w);
        Matrix pruned = alive.copy();
        for (int i = 0; i < pruned.values().length; i++) {
            pruned.values()[i] = layer.mask().kept()[i] ? 0 : pruned.values()[i];
        }
        return new FactoredRestoration(new RowwiseRestoration(ALGEBRA, TEAM), hessian)
                .restore(
                        alive,
                        new TiledProducts(ALGEBRA, TEAM).multiply(pruned, hessian.matrix()),
                        layer.mask(),
                        quantizer,
                        new ColumnSplit(alpha, AlphaRule.COLUMN));
    }

    private static void checkClose(Matrix actual, float[] expected, Golden golden) {
        assertThat(largestDifference(actual.values(), expected)).isLessThanOrEqualTo(golden.tolerance("w_comp_abs"));
    }

    private static double largestDifference(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        double largest = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs((double) actual[i] - expected[i]));
        }
        return largest;
    }

    private static double largest(float[] values) {
        return largestDifference(values, new float[values.length]);
    }

    private static void checkMask(CompressedLayer layer, Golden golden) {
        float[] expected = golden.array("mask");
        int different = 0;
        for (int i = 0; i < expected.length; i++) {
            different += (expected[i] == 1) != layer.mask().kept()[i] ? 1 : 0;
        }
        assertThat((double) different / expected.length)
                .isLessThanOrEqualTo(golden.tolerance("mask_mismatch_fraction"));
    }

    private static void checkLayer(CompressedLayer layer, Golden golden, double loss) {
        checkScale(layer.scale(), golden);
        assertThat(largestDifference(layer.zero(), golden.array("zero"))).isZero();
        float[] codes = golden.array("codes");
        int different = 0;
        for (int i = 0; i < codes.length; i++) {
            different += codes[i] != layer.codes()[i] ? 1 : 0;
        }
        assertThat((double) different / codes.length).isLessThanOrEqualTo(golden.tolerance("codes_mismatch_fraction"));
        checkValues(layer, golden);
        assertThat(layer.loss()).isCloseTo(loss, relative(loss, golden));
        if (golden.json().path("scalars").has("zero_fraction")) {
            assertThat(layer.zeroShare()).isCloseTo(golden.scalar("zero_fraction"), within(0.002));
        }
    }

    private static void checkScale(float[] scale, Golden golden) {
        float[] expected = golden.array("scale");
        assertThat(scale).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            assertThat(scale[i]).isCloseTo(expected[i], within(1e-5f * expected[i]));
        }
    }

    private static void checkValues(CompressedLayer layer, Golden golden) {
        float[] expected = golden.array("w_hat");
        int different = 0;
        for (int i = 0; i < expected.length; i++) {
            float step = layer.scale()[i / layer.dequantized().cols()];
            different += Math.abs(layer.dequantized().values()[i] - expected[i]) > 0.01 * step ? 1 : 0;
        }
        assertThat((double) different / expected.length)
                .isLessThanOrEqualTo(golden.tolerance("codes_mismatch_fraction"));
    }

    private static org.assertj.core.data.Offset<Double> relative(double value, Golden golden) {
        return within(golden.tolerance("loss_rel") * Math.abs(value));
    }
}
