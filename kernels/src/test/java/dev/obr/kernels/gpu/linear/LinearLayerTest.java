package dev.obr.kernels.gpu.linear;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Norm, codes and product in a row, as a layer has them. */
class LinearLayerTest {
    private static final int FEATURES = 80;
    private static final int COLUMNS = 648;

    /** One packed model, one result: Ampere multiplies 4-bit integers, Hopper the same ones as bytes. */
    @ParameterizedTest
    @CsvSource({"1", "12", "40"})
    void amperesResultsAreHoppers(int tokens) {
        assertThat(run(ComputeCapability.SM_90, TokenLayout.INT8, 4, tokens))
                .isEqualTo(run(ComputeCapability.SM_86, TokenLayout.INT4, 4, tokens));
    }

    /** 8-bit codes lose so little that the layer is near W . norm(x), in double. */
    @Test
    void aLayerWith8BitCodesIsNearItsTruth() {
        int tokens = 5;
        short[] y = run(ComputeCapability.SM_90, TokenLayout.INT8, 8, tokens);
        PackedMatrix w = weight();
        short[] x = activations(tokens);
        byte[] codes = new byte[COLUMNS];
        double error = 0;
        double squares = 0;
        for (int token = 0; token < tokens; token++) {
            double norm = 0;
            for (int c = 0; c < COLUMNS; c++) {
                norm += Math.pow(Float.float16ToFloat(x[token * COLUMNS + c]), 2) / COLUMNS;
            }
            for (int feature = 0; feature < FEATURES; feature++) {
                w.unpackRow(feature, codes, 0);
                double truth = 0;
                for (int c = 0; c < COLUMNS; c++) {
                    truth += codes[c] * Float.float16ToFloat(x[token * COLUMNS + c]) / Math.sqrt(norm) * factor(c);
                }
                truth *= w.scale(feature);
                error += Math.pow(Float.float16ToFloat(y[token * FEATURES + feature]) - truth, 2);
                squares += truth * truth;
            }
        }
        assertThat(Math.sqrt(error / squares)).isLessThan(0.01);
    }

    private static short[] run(ComputeCapability capability, TokenLayout layout, int bits, int tokens) {
        float[] factors = new float[COLUMNS];
        for (int c = 0; c < COLUMNS; c++) {
            factors[c] = factor(c);
        }
        try (DeviceRun run = new DeviceRun(capability, Schedule.GREEDY);
                NormQuantizer norm = new NormQuantizer(run.device(), NormQuantizer.Input.F16, layout);
                SparseGemm gemm = new SparseGemm(run.device(), layout);
                SparseWeights w =
                        SparseWeights.upload(SparseFragments.of(weight(), run.arena()), run.device(), run.stream());
                GpuMemory x = run.upload(MemorySegment.ofArray(activations(tokens)));
                GpuMemory weight = run.upload(MemorySegment.ofArray(factors));
                GpuMemory codes = run.device().allocate((long) tokens * layout.rowBytes(COLUMNS));
                GpuMemory scales = run.device().allocate(4L * tokens);
                GpuMemory y = run.device().allocate(2L * tokens * FEATURES)) {
            norm.quantize(
                    run.stream(), new ActivationQuantizer(bits, 0), x, weight, 1e-5f, tokens, COLUMNS, codes, scales);
            gemm.multiply(run.stream(), w, codes, scales, tokens, null, null, y);
            return run.download(y).toArray(DeviceRun.HALF);
        }
    }

    private static PackedMatrix weight() {
        return SparseOperands.weight(FEATURES, COLUMNS, 8, new Random(5));
    }

    private static float factor(int column) {
        return 0.5f + column % 7 / 8f;
    }

    private static short[] activations(int tokens) {
        Random random = new Random(6);
        short[] x = new short[tokens * COLUMNS];
        for (int i = 0; i < x.length; i++) {
            x[i] = Float.floatToFloat16((float) random.nextGaussian());
        }
        return x;
    }
}
