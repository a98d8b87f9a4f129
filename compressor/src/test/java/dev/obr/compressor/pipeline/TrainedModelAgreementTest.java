package dev.obr.compressor.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.calibration.CalibrationWindows;
import dev.obr.compressor.mask.Scores;
import dev.obr.compressor.obr.CompressedLayer;
import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.obr.LayerCompressor;
import dev.obr.compressor.pipeline.DecoderLinears.Linear;
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
 * The linear layers of obr-books-7m's first decoder layer, calibrated on a text and compressed on a GPU, through JCuda and the stand-ins for NVIDIA's driver and libraries, and on the CPU, from the same
 * weights and Hessians. Both are held against the definition in double precision, row by row and code by code, which goes on with either code where a value lies between two.
 */
@Tag("stand-in-driver")
class TrainedModelAgreementTest {
    private static final Path TEXT = Path.of("src/test/resources/text/alice.txt");

    /** Relative difference of two scores that may be ranked either way. */
    private static final double SCORE_TIE = 1e-5;

    /** Distance from the middle of two codes, in steps, within which a value may be rounded either way. */
    private static final double NEAR_TIE = 1e-4;

    /** By how much a layer's loss may differ. A single row's differs by more where a near-tie is rounded the other way, as all columns behind it then round something else. */
    private static final double LOSS = 1e-3;

    /** Share of rows that may have one. */
    private static final double SHARE = 0.1;

    private static final LinearAlgebra HOST =
            LinearAlgebras.choose(System.getenv()).algebra();

    private int rows;
    private int otherMasks;
    private int nearTies;
    private int otherCodes;
    private int otherLosses;
    private double worstLoss;

    @BeforeAll
    static void needsCompiler() {
        String whyNot = StandInDriver.whyNot();
        Assumptions.assumeTrue(whyNot.isEmpty(), whyNot);
    }

    @Test
    void layersAgree(TestReporter reporter) throws IOException {
        try (ThreadTeam team = new ThreadTeam(2);
                CudaLinearAlgebra device = StandInAlgebra.open(HOST, 512 << 20)) {
            for (Linear linear : linears()) {
                CompressedLayer onCpu = compress(HOST, team, linear);
                CompressedLayer onDevice = compress(device, team, linear);
                assertThat(onDevice.scale()).as(linear.name()).isEqualTo(onCpu.scale());
                compare(linear, onCpu, onDevice);
                assertThat(onDevice.loss()).as(linear.name()).isCloseTo(onCpu.loss(), within(LOSS * onCpu.loss()));
            }
        }
        reporter.publishEntry(
                "agreement",
                rows + " rows: " + otherMasks + " with another mask, " + nearTies + " with a near-tie, " + otherCodes
                        + " of them with other codes, " + otherLosses
                        + " of these with a loss that differs by more than "
                        + LOSS + ", at most by " + worstLoss);
        assertThat(nearTies + otherMasks).as("of %d rows", rows).isLessThanOrEqualTo((int) (SHARE * rows));
    }

    private static CompressedLayer compress(LinearAlgebra algebra, ThreadTeam team, Linear linear) {
        return new LayerCompressor(algebra, team)
                .compress(linear.name(), linear.weight(), linear.input(), CompressionOptions.defaults());
    }

    private static List<Linear> linears() throws IOException {
        try (Model model = DemoModel.open()) {
            int[] tokens = model.tokenizer().encode(Files.readString(TEXT), false);
            CalibrationWindows windows = CalibrationWindows.draw(
                    tokens, "alice.txt", 8, 128, model.config().contextLength(), 0);
            return DecoderLinears.of(model, windows, HOST, Projection.values());
        }
    }

    private void compare(Linear linear, CompressedLayer onCpu, CompressedLayer onDevice) {
        Matrix scores = Scores.of(linear.weight(), Scores.wanda(linear.scalerRow()));
        ExactRestoration exact = new ExactRestoration(linear.hessian());
        for (int row = 0; row < linear.weight().rows(); row++) {
            rows++;
            ExactRestoration.Row device = truth(exact, linear, onDevice, row);
            nearTies += device.margin() < NEAR_TIE ? 1 : 0;
            assertThat(codes(onDevice, row))
                    .as("%s, row %d", linear.name(), row)
                    .isEqualTo(device.codes());
            boolean same = sameMask(scores, onCpu, onDevice, row);
            otherMasks += same ? 0 : 1;
            if (same && Arrays.equals(codes(onDevice, row), codes(onCpu, row))) {
                continue;
            }
            assertThat(same && device.margin() >= NEAR_TIE)
                    .as("%s, row %d", linear.name(), row)
                    .isFalse();
            assertThat(codes(onCpu, row))
                    .isEqualTo(truth(exact, linear, onCpu, row).codes());
            otherCodes++;
            double expected = linear.loss(onCpu.dequantized(), row);
            double actual = linear.loss(onDevice.dequantized(), row);
            otherLosses += Math.abs(actual / expected - 1) > LOSS ? 1 : 0;
            worstLoss = Math.max(worstLoss, Math.abs(actual / expected - 1));
        }
    }

    private static ExactRestoration.Row truth(ExactRestoration exact, Linear linear, CompressedLayer layer, int row) {
        return exact.of(linear.weight(), layer.mask(), row, layer.scale()[row], NEAR_TIE, codes(layer, row));
    }

    /** Whether two masks of a row are equal; where not, the scores that were ranked otherwise are ties. */
    private static boolean sameMask(Matrix scores, CompressedLayer a, CompressedLayer b, int row) {
        boolean same = true;
        double least = Double.POSITIVE_INFINITY;
        double most = 0;
        for (int c = 0; c < scores.cols(); c++) {
            if (a.mask().keeps(row, c) != b.mask().keeps(row, c)) {
                same = false;
                least = Math.min(least, scores.at(row, c));
                most = Math.max(most, scores.at(row, c));
            }
        }
        assertThat(same ? 0 : most - least).isLessThanOrEqualTo(SCORE_TIE * most);
        return same;
    }

    private static byte[] codes(CompressedLayer layer, int row) {
        int cols = layer.mask().cols();
        return Arrays.copyOfRange(layer.codes(), row * cols, (row + 1) * cols);
    }
}
