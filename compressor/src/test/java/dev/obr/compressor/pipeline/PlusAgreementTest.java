package dev.obr.compressor.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.calibration.CalibrationWindows;
import dev.obr.compressor.obr.CompressedLayer;
import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.obr.ExactCodeSearch;
import dev.obr.compressor.obr.LayerCompressor;
import dev.obr.compressor.obr.Method;
import dev.obr.compressor.pipeline.DecoderLinears.Linear;
import dev.obr.compressor.quantizer.WeightQuantizer;
import dev.obr.compressor.rotation.Projection;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.cuda.CudaLinearAlgebra;
import dev.obr.kernels.cuda.StandInAlgebra;
import dev.obr.kernels.cuda.StandInDriver;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebras;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.models.Model;
import dev.obr.models.demo.DemoModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/**
 * Rows of the linear layers of obr-books-7m's first decoder layer, calibrated on a text and compressed by obr-plus on a GPU, through JCuda and the stand-ins for NVIDIA's driver and libraries, and on the
 * CPU, from the same weights and Hessians. Masks are equal, and so are the codes of all rows but those where the code search in double precision comes near a tie.
 */
@Tag("stand-in-driver")
class PlusAgreementTest {
    private static final Path TEXT = Path.of("src/test/resources/text/alice.txt");

    /** Rows of each layer: an emulator rounds them. */
    private static final int ROWS = 24;

    /** By how much the loss of a layer's rows that have one mask may differ: one of these few rows that rounds a near-tie the other way moves it. */
    private static final double LOSS = 1e-2;

    /** Share of rows that may have another mask: the search goes over 120 steps, each of which ranks what the one before has rounded. */
    private static final double OTHER_MASKS = 0.05;

    /** Share of rows that may come near a tie. */
    private static final double NEAR_TIES = 0.5;

    private static final LinearAlgebra HOST =
            LinearAlgebras.choose(System.getenv()).algebra();

    private int rows;
    private int otherMasks;
    private int tied;
    private int otherCodes;

    @BeforeAll
    static void needsCompiler() {
        String whyNot = StandInDriver.whyNot();
        Assumptions.assumeTrue(whyNot.isEmpty(), whyNot);
    }

    @Test
    void layersAgree(TestReporter reporter) throws IOException {
        CompressionOptions options = CompressionOptions.defaults().withMethod(Method.OBR_PLUS);
        try (ThreadTeam team = new ThreadTeam(2);
                CudaLinearAlgebra device = StandInAlgebra.open(HOST, 512 << 20)) {
            for (Linear linear : linears()) {
                CompressedLayer onCpu = compress(HOST, team, linear, options);
                CompressedLayer onDevice = compress(device, team, linear, options);
                float[] base = WeightQuantizer.fit(linear.weight(), options.grid(), team)
                        .scale();
                compare(linear, base, options, onCpu, onDevice);
            }
        }
        reporter.publishEntry(
                "agreement",
                rows + " rows: " + otherMasks + " with another mask, " + tied + " near a tie, " + otherCodes
                        + " of them with other codes on the same mask");
        assertThat(otherMasks).as("of %d rows", rows).isLessThanOrEqualTo((int) (OTHER_MASKS * rows));
        assertThat(tied).as("of %d rows", rows).isLessThanOrEqualTo((int) (NEAR_TIES * rows));
    }

    private static CompressedLayer compress(
            LinearAlgebra algebra, ThreadTeam team, Linear linear, CompressionOptions options) {
        return new LayerCompressor(algebra, team).compress(linear.name(), linear.weight(), linear.input(), options);
    }

    private static List<Linear> linears() throws IOException {
        try (Model model = DemoModel.open()) {
            int[] tokens = model.tokenizer().encode(Files.readString(TEXT), false);
            CalibrationWindows windows = CalibrationWindows.draw(
                    tokens, "alice.txt", 8, 128, model.config().contextLength(), 0);
            return DecoderLinears.of(model, windows, HOST, Projection.values()).stream()
                    .map(PlusAgreementTest::someRows)
                    .toList();
        }
    }

    private static Linear someRows(Linear linear) {
        int cols = linear.weight().cols();
        float[] some = Arrays.copyOf(linear.weight().values(), ROWS * cols);
        return new Linear(linear.name(), new Matrix(ROWS, cols, some), linear.hessian(), linear.scalerRow());
    }

    private void compare(
            Linear linear, float[] base, CompressionOptions options, CompressedLayer onCpu, CompressedLayer onDevice) {
        ExactCodeSearch exact = ExactCodeSearch.of(
                linear.hessian(),
                options.percdamp(),
                options.grid().lowest(),
                options.grid().highest());
        double lossOnCpu = 0;
        double lossOnDevice = 0;
        for (int row = 0; row < ROWS; row++) {
            rows++;
            boolean near = checkRow(exact, linear, base, row, onCpu) | checkRow(exact, linear, base, row, onDevice);
            tied += near ? 1 : 0;
            if (!Arrays.equals(mask(onDevice, row), mask(onCpu, row))) {
                otherMasks++;
                continue;
            }
            otherCodes += Arrays.equals(codes(onDevice, row), codes(onCpu, row)) ? 0 : 1;
            lossOnCpu += linear.loss(onCpu.dequantized(), row);
            lossOnDevice += linear.loss(onDevice.dequantized(), row);
        }
        assertThat(lossOnDevice).as(linear.name()).isCloseTo(lossOnCpu, within(LOSS * lossOnCpu));
    }

    /** The codes are those of the definition on the same mask, or a near-tie may have led to others, which is said. */
    private static boolean checkRow(
            ExactCodeSearch exact, Linear linear, float[] base, int row, CompressedLayer layer) {
        ExactCodeSearch.Row truth = exact.of(linear.weight(), layer.mask(), row, base[row]);
        if (!truth.tied()) {
            assertThat(codes(layer, row)).as("%s, row %d", linear.name(), row).isEqualTo(truth.codes());
        }
        return truth.tied();
    }

    private static boolean[] mask(CompressedLayer layer, int row) {
        int cols = layer.mask().cols();
        return Arrays.copyOfRange(layer.mask().kept(), row * cols, (row + 1) * cols);
    }

    private static byte[] codes(CompressedLayer layer, int row) {
        int cols = layer.mask().cols();
        return Arrays.copyOfRange(layer.codes(), row * cols, (row + 1) * cols);
    }
}
