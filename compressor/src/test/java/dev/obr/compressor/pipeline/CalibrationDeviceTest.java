package dev.obr.compressor.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.compressor.rotation.RotatedModel;
import dev.obr.compressor.rotation.Rotation;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.kernels.cuda.CudaLinearAlgebra;
import dev.obr.kernels.cuda.StandInAlgebra;
import dev.obr.kernels.cuda.StandInDriver;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebras;
import dev.obr.models.Model;
import dev.obr.models.loader.ModelLoader;
import dev.obr.runtime.cpu.CpuBackend;
import dev.obr.runtime.transformer.Backend;
import dev.obr.runtime.transformer.KvCache;
import dev.obr.runtime.transformer.KvType;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Calibration windows through the decoder layers of a trained model, products and attention on a GPU, through JCuda and the stand-ins, beside the CPU. */
@Tag("stand-in-driver")
class CalibrationDeviceTest {
    private static final Path MODEL = Path.of("../runtime/src/test/resources/models/stories260K");
    private static final LinearAlgebra HOST =
            LinearAlgebras.choose(System.getenv()).algebra();
    private static final long MEMORY = 64 << 20;

    /** Of what a step shows of a chunk, next to its length; 2e-6 in the fifth layer. */
    private static final double ROUNDING = 1e-5;

    @BeforeAll
    static void needsCompiler() {
        String whyNot = StandInDriver.whyNot();
        Assumptions.assumeTrue(whyNot.isEmpty(), whyNot);
    }

    /** All layers, of which rounding passes from one to the next; windows of more than one chunk; attention on the host, where there is no room for it. */
    @ParameterizedTest
    @CsvSource({"2, 40, 5, false", "1, 530, 1, false", "2, 40, 5, true"})
    void windowsAgree(int samples, int length, int layers, boolean noRoom) {
        List<float[]> onHost;
        try (Backend cpu = cpu()) {
            onHost = run(cpu, samples, length, layers);
        }
        List<String> notes = new ArrayList<>();
        List<float[]> onDevice;
        try (CudaLinearAlgebra device = StandInAlgebra.open(HOST, MEMORY);
                Backend both = new CalibrationBackend(cpu(), device, notes::add)) {
            StandInDriver.shared().fail(noRoom ? 1 : 0, 0); // the first that is asked for memory is attention
            onDevice = run(both, samples, length, layers);
        }
        assertThat(StandInDriver.shared().live()).isZero();
        assertThat(notes).hasSize(noRoom ? 1 : 0);
        assertThat(onDevice).hasSameSizeAs(onHost);
        for (int i = 0; i < onHost.size(); i++) {
            double difference = 0;
            double square = 0;
            for (int at = 0; at < onHost.get(i).length; at++) {
                double is = onHost.get(i)[at];
                difference += Math.pow(onDevice.get(i)[at] - is, 2);
                square += is * is;
            }
            assertThat(Math.sqrt(difference / square)).as("sight %d", i).isCloseTo(0, within(ROUNDING));
        }
    }

    private static Backend cpu() {
        CpuKernels kernels = CpuKernelsProvider.choose("auto", System.getenv()).kernels();
        return new CpuBackend(kernels, kernels.instructionSet(), 2, Precision.FLOAT);
    }

    /** What the steps of each layer show of each chunk. */
    private static List<float[]> run(Backend backend, int samples, int length, int layers) {
        List<float[]> sights = new ArrayList<>();
        try (Model model = ModelLoader.open(MODEL)) {
            RotatedModel rotated = new RotatedModel(model, Rotation.quarot(model.config(), 0, false));
            try (Calibration calibration = new Calibration(
                    rotated.config(),
                    Rotation.quarot(model.config(), 0, false).online(),
                    backend,
                    samples,
                    length,
                    false,
                    1 << 24,
                    Path.of("target"))) {
                int[] tokens = new Random(3)
                        .ints(samples * length, 0, model.config().vocabularySize())
                        .toArray();
                for (int i = 0; i < tokens.length; i++) {
                    calibration.start(
                            i / length,
                            i % length,
                            rotated.embedding(tokens[i], 1).values());
                }
                for (int layer = 0; layer < layers; layer++) {
                    try (FloatLayer floats =
                            new FloatLayer("model.layers." + layer + ".", rotated.layer(layer), backend)) {
                        show(
                                calibration,
                                CalibrationStream::attend,
                                floats,
                                model.config().queryWidth(),
                                sights);
                        show(
                                calibration,
                                CalibrationStream::feedForwardInput,
                                floats,
                                model.config().hiddenSize(),
                                sights);
                        show(
                                calibration,
                                CalibrationStream::finish,
                                floats,
                                model.config().hiddenSize(),
                                sights);
                    }
                }
            }
        }
        return sights;
    }

    private static void show(
            Calibration calibration, Calibration.Step step, FloatLayer layer, int width, List<float[]> sights) {
        Calibration.Inputs keep = new Calibration.Inputs() {
            @Override
            public void add(Calibration.Seen seen) {
                sights.add(Arrays.copyOf(seen.x(), seen.tokens() * width));
            }

            @Override
            public void endSequence() {}
        };
        calibration.run(step, layer, null, keep, count -> {});
    }

    /** Whatever is not kept as it is, or not of one layer, stays on the host; so does what the memory has no room for, which is said. */
    @Test
    void cachesAreWhereTheyCanBe() {
        List<String> notes = new ArrayList<>();
        try (Model model = ModelLoader.open(MODEL);
                CudaLinearAlgebra device = StandInAlgebra.open(HOST, MEMORY);
                Backend backend = new CalibrationBackend(cpu(), device, notes::add);
                KvCache there = backend.newCache(model.config().withLayers(1), KvType.F32, 40);
                KvCache rounded = backend.newCache(model.config().withLayers(1), KvType.F16, 40);
                KvCache ofAllLayers = backend.newCache(model.config(), KvType.F32, 40)) {
            assertThat(there).isInstanceOf(CalibrationCache.class).returns(40 * 2 * 4 * 8 * 4L, KvCache::bytes);
            assertThat(rounded).isNotInstanceOf(CalibrationCache.class);
            assertThat(ofAllLayers).isNotInstanceOf(CalibrationCache.class);
            assertThat(notes).isEmpty();
            StandInDriver.shared().fail(1, 0);
            try (KvCache small = backend.newCache(model.config().withLayers(1), KvType.F32, 40)) {
                assertThat(small).isNotInstanceOf(CalibrationCache.class);
                assertThat(notes)
                        .singleElement()
                        .asString()
                        .startsWith("The CPU computes calibration's attention: GPU 0")
                        .contains("memory");
            }
        }
    }
}
