package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/** A layer as a model has it, on any device: norm, codes and product of the same weights and activations. */
public final class LinearLayer {
    static final int FEATURES = 80;
    static final int COLUMNS = 648;

    private LinearLayer() {}

    /** Its results, fp16 [tokens, FEATURES]. */
    public static short[] run(GpuDevice device, TokenLayout layout, int bits, int tokens) {
        float[] factors = new float[COLUMNS];
        for (int c = 0; c < COLUMNS; c++) {
            factors[c] = factor(c);
        }
        try (Arena arena = Arena.ofConfined();
                GpuStream stream = device.newStream();
                NormQuantizer norm = new NormQuantizer(device, NormQuantizer.Input.F16, layout);
                SparseGemm gemm = new SparseGemm(device, Pattern.PAIRS_4_OF_8, layout);
                SparseWeights w = SparseWeights.upload(SparseFragments.of(weight(), arena), device, stream);
                GpuMemory x = device.allocate(2L * tokens * COLUMNS);
                GpuMemory weight = device.allocate(4L * COLUMNS);
                GpuMemory codes = device.allocate((long) tokens * layout.rowBytes(COLUMNS));
                GpuMemory scales = device.allocate(4L * tokens);
                GpuMemory y = device.allocate(2L * tokens * FEATURES)) {
            stream.copyIn(MemorySegment.ofArray(activations(tokens)), x, 0);
            stream.copyIn(MemorySegment.ofArray(factors), weight, 0);
            ActivationQuantizer quantizer = new ActivationQuantizer(bits, ActivationQuantizer.SEARCH);
            norm.quantize(stream, quantizer, x, weight, 1e-5f, tokens, COLUMNS, null, codes, scales);
            gemm.multiply(stream, w, codes, scales, tokens, null, null, y);
            MemorySegment results = arena.allocate(y.byteSize());
            stream.copyOut(y, 0, results);
            stream.synchronize();
            return results.toArray(DeviceRun.HALF);
        }
    }

    static PackedMatrix weight() {
        return SparseOperands.weight(Pattern.PAIRS_4_OF_8, FEATURES, COLUMNS, 8, new Random(5));
    }

    static float factor(int column) {
        return 0.5f + column % 7 / 8f;
    }

    static short[] activations(int tokens) {
        Random random = new Random(6);
        short[] x = new short[tokens * COLUMNS];
        for (int i = 0; i < x.length; i++) {
            x[i] = Float.floatToFloat16((float) random.nextGaussian());
        }
        return x;
    }
}
