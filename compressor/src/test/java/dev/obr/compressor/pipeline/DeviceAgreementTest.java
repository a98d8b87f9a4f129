package dev.obr.compressor.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.calibration.CalibrationWindows;
import dev.obr.compressor.mask.MaskMetric;
import dev.obr.compressor.obr.CompressedLayer;
import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.obr.LayerCompressor;
import dev.obr.compressor.obr.LayerInput;
import dev.obr.compressor.obr.LayerStatistics;
import dev.obr.compressor.obr.Method;
import dev.obr.compressor.obr.Solver;
import dev.obr.compressor.rotation.Projection;
import dev.obr.compressor.rotation.RotatedModel;
import dev.obr.compressor.rotation.Rotation;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.cuda.CudaLinearAlgebra;
import dev.obr.kernels.cuda.StandInAlgebra;
import dev.obr.kernels.cuda.StandInDriver;
import dev.obr.kernels.gpu.GpuException;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebras;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;
import dev.obr.models.Model;
import dev.obr.models.loader.ModelLoader;
import dev.obr.runtime.cpu.CpuBackend;
import dev.obr.runtime.transformer.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A trained model compressed on a GPU, through JCuda and the stand-ins for NVIDIA's driver and libraries, beside the CPU: layer by layer from the same weights and the same Hessians, and from
 * beginning to end.
 */
@Tag("stand-in-driver")
class DeviceAgreementTest {
    private static final Path MODEL = Path.of("../runtime/src/test/resources/models/stories260K");
    private static final long MEMORY = 256 << 20;

    /** By how much a row's loss may differ where a near-tie was rounded the other way, and how many rows may have one. */
    private static final double LOSS = 1e-3;

    private static final double SHARE = 0.02;

    private static final LinearAlgebra HOST =
            LinearAlgebras.choose(System.getenv()).algebra();

    @BeforeAll
    static void needsCompiler() {
        String whyNot = StandInDriver.whyNot();
        Assumptions.assumeTrue(whyNot.isEmpty(), whyNot);
    }

    /** A linear layer of the model as it stands before its compression. */
    private record Linear(String name, Matrix weight, LayerInput input) {}

    @ParameterizedTest
    @CsvSource({
        "OBR_RTN, WANDA, CHOLESKY",
        "OBR_GPTQ, WANDA, CHOLESKY",
        "OBR_GPTQ, SPARSEGPT, CHOLESKY",
        "OBR_GPTQ, WANDA, PCG",
        "SPARSEGPT_GPTQ, WANDA, CHOLESKY"
    })
    void layersAgree(Method method, MaskMetric metric, Solver solver) {
        CompressionOptions options = CompressionOptions.defaults()
                .withMethod(method)
                .withMetric(metric)
                .withSolver(solver);
        int rows = 0;
        int different = 0;
        try (ThreadTeam team = new ThreadTeam(2);
                CudaLinearAlgebra device = StandInAlgebra.open(HOST, MEMORY)) {
            for (Linear linear : firstLayer()) {
                CompressedLayer onCpu =
                        new LayerCompressor(HOST, team).compress(linear.name, linear.weight, linear.input, options);
                CompressedLayer onDevice =
                        new LayerCompressor(device, team).compress(linear.name, linear.weight, linear.input, options);
                assertThat(onDevice.mask().kept())
                        .as(linear.name)
                        .isEqualTo(onCpu.mask().kept());
                for (int row = 0; row < linear.weight.rows(); row++) {
                    rows++;
                    if (!sameCodes(onCpu, onDevice, row)) {
                        different++;
                        double loss = loss(linear, onCpu, row);
                        assertThat(loss(linear, onDevice, row))
                                .as("%s, row %d", linear.name, row)
                                .isCloseTo(loss, within(LOSS * loss));
                    }
                }
                assertThat(onDevice.loss()).isCloseTo(onCpu.loss(), within(LOSS * onCpu.loss()));
            }
        }
        assertThat(different)
                .as("rows of %d in which a near-tie was rounded the other way", rows)
                .isLessThanOrEqualTo((int) (SHARE * rows));
    }

    /** The mask search of this method passes over hundreds of products: a near-tie among scores grows, and some masks end up different, none worse. */
    @Test
    void searchedMasksAreAsGood() {
        CompressionOptions options = CompressionOptions.defaults().withMethod(Method.OBR_PLUS);
        int masks = 0;
        int different = 0;
        try (ThreadTeam team = new ThreadTeam(2);
                CudaLinearAlgebra device = StandInAlgebra.open(HOST, MEMORY)) {
            for (Linear linear : firstLayer()) {
                CompressedLayer onCpu =
                        new LayerCompressor(HOST, team).compress(linear.name, linear.weight, linear.input, options);
                CompressedLayer onDevice =
                        new LayerCompressor(device, team).compress(linear.name, linear.weight, linear.input, options);
                assertThat(onDevice.loss()).isCloseTo(onCpu.loss(), within(0.02 * onCpu.loss()));
                for (int i = 0; i < onCpu.mask().kept().length; i++) {
                    masks++;
                    different += onCpu.mask().kept()[i] == onDevice.mask().kept()[i] ? 0 : 1;
                }
            }
        }
        assertThat(different).as("entries of %d masks", masks).isLessThanOrEqualTo((int) (SHARE * masks));
    }

    /** Its linear layers with what they see when those before them are compressed. */
    private static List<Linear> firstLayer() {
        CpuKernels kernels = CpuKernelsProvider.choose("auto", System.getenv()).kernels();
        List<Linear> linears = new ArrayList<>();
        try (Model model = ModelLoader.open(MODEL);
                ThreadTeam team = new ThreadTeam(2);
                CpuBackend backend = new CpuBackend(kernels, kernels.instructionSet(), 2, Precision.FLOAT)) {
            RotatedModel rotated = new RotatedModel(model, Rotation.quarot(model.config(), 0, false));
            int[] tokens =
                    new Random(6).ints(900, 0, model.config().vocabularySize()).toArray();
            CalibrationWindows windows = CalibrationWindows.draw(
                    tokens, "random tokens", 8, 64, model.config().contextLength(), 0);
            try (Calibration calibration = new Calibration(
                            rotated.config(),
                            Rotation.quarot(model.config(), 0, false).online(),
                            backend,
                            windows.count(),
                            windows.length(),
                            false,
                            1 << 24,
                            Path.of("target"));
                    FloatLayer floats = new FloatLayer("model.layers.0.", rotated.layer(0), backend)) {
                for (int sample = 0; sample < windows.count(); sample++) {
                    int[] window = windows.window(sample);
                    for (int t = 0; t < window.length; t++) {
                        calibration.start(
                                sample, t, rotated.embedding(window[t], 1).values());
                    }
                }
                gather(
                        linears,
                        calibration,
                        floats,
                        team,
                        CalibrationStream::attentionInput,
                        Projection.QUERY,
                        Projection.KEY);
                gather(linears, calibration, floats, team, CalibrationStream::attend, Projection.OUTPUT);
                gather(linears, calibration, floats, team, CalibrationStream::feedForwardInput, Projection.GATE);
                gather(linears, calibration, floats, team, CalibrationStream::activate, Projection.DOWN);
            }
        }
        return linears;
    }

    private static void gather(
            List<Linear> linears,
            Calibration calibration,
            FloatLayer floats,
            ThreadTeam team,
            Calibration.Step step,
            Projection... projections) {
        LayerStatistics statistics = new LayerStatistics(
                projections[0].path(), floats.weight(projections[0]).cols(), new TiledProducts(HOST, team));
        calibration.run(
                step,
                floats,
                null,
                new Calibration.Inputs() {
                    @Override
                    public void add(Calibration.Seen seen) {
                        statistics.add(seen.x(), seen.tokens());
                    }

                    @Override
                    public void endSequence() {
                        statistics.endSequence();
                    }
                },
                count -> {});
        LayerInput input = statistics.toInput(CompressionOptions.defaults().scaler());
        for (Projection projection : projections) {
            linears.add(new Linear(projection.path(), floats.weight(projection), input));
        }
    }

    private static boolean sameCodes(CompressedLayer a, CompressedLayer b, int row) {
        int cols = a.mask().cols();
        return Arrays.equals(a.codes(), row * cols, (row + 1) * cols, b.codes(), row * cols, (row + 1) * cols);
    }

    /** {@code (w - ŵ) H (w - ŵ)ᵀ}. */
    private static double loss(Linear linear, CompressedLayer layer, int row) {
        int cols = linear.weight.cols();
        double[] change = new double[cols];
        Arrays.setAll(
                change,
                c -> (double) linear.weight.at(row, c) - layer.dequantized().at(row, c));
        double loss = 0;
        for (int i = 0; i < cols; i++) {
            for (int j = 0; j < cols; j++) {
                loss += change[i] * linear.input.hessian().at(i, j) * change[j];
            }
        }
        return loss;
    }

    /** The whole pipeline, Hessians gathered on the device, too: losses are those of the CPU. */
    @Test
    void aModelAgrees(@TempDir Path folder) {
        TinyCompression compression = TinyCompression.of("stories260K");
        List<LinearReport> onCpu = compression.run(folder.resolve("cpu"));
        List<LinearReport> onDevice;
        try (CudaLinearAlgebra device = StandInAlgebra.open(HOST, MEMORY)) {
            onDevice = compression.withAlgebra(device).run(folder.resolve("gpu"));
        }
        assertThat(StandInDriver.shared().live()).isZero();
        assertThat(onDevice).hasSameSizeAs(onCpu);
        for (int i = 0; i < onCpu.size(); i++) {
            LinearReport expected = onCpu.get(i);
            assertThat(onDevice.get(i).name()).isEqualTo(expected.name());
            assertThat(onDevice.get(i).loss()).isCloseTo(expected.loss(), within(0.02 * expected.loss()));
        }
    }

    /** A GPU that fails in the middle: nothing unfinished looks finished, and the run goes on with what there is. */
    @ParameterizedTest
    @CsvSource({"268435456, 300, 719", "49152, 0, has no room for two systems of 32 unknowns"})
    void afterAFailureTheRunGoesOn(long memory, int work, String why, @TempDir Path folder) {
        TinyCompression compression = TinyCompression.of("stories260K");
        Path whole = folder.resolve("whole");
        compression.run(whole);
        Path out = folder.resolve("out");
        CudaLinearAlgebra device = StandInAlgebra.open(HOST, memory);
        StandInDriver.shared().fail(0, work);
        try {
            assertThatThrownBy(() -> compression.withAlgebra(device).run(out))
                    .isInstanceOf(GpuException.class)
                    .hasMessageContaining("GPU 0 (Stand-in GPU)")
                    .hasMessageContaining(why);
        } finally {
            try {
                device.close();
            } catch (GpuException again) {
                assertThat(again).hasMessageContaining("GPU 0");
            }
        }
        assertThat(out).doesNotExist();
        compression.resumed().run(out);
        assertThat(TinyCompression.checksums(out).keySet())
                .isEqualTo(TinyCompression.checksums(whole).keySet());
    }
}
