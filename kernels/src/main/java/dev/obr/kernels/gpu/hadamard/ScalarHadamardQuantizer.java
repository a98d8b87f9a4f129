package dev.obr.kernels.gpu.hadamard;

import dev.obr.kernels.gpu.Exponential;
import dev.obr.kernels.gpu.linear.ScalarNormQuantizer;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.linalg.ColumnOrder;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What the kernels {@code hadamard_quant_*} compute, bit by bit: {@code codes((H ⊗ S) (silu(gate) · up) / √n)}.
 *
 * <p>The transform is {@link HadamardTransform}, whose additions have one order wherever they run; the codes are those of {@link ScalarNormQuantizer}.
 */
public final class ScalarHadamardQuantizer {
    private final HadamardTransform transform;
    private final int width;
    private final ScalarNormQuantizer quantizer;

    /** @param width columns that each component of the transform has */
    public ScalarHadamardQuantizer(HadamardTransform transform, int width, ScalarNormQuantizer quantizer) {
        this.transform = transform;
        this.width = width;
        this.quantizer = quantizer;
    }

    /**
     * Codes one token.
     *
     * @param x [n]
     * @param arrangement of the codes' columns; without, that of x
     * @param codes of all tokens; the row that begins at {@code row} holds zeros
     * @return the scale
     */
    public float quantize(
            float @Nullable [] gate, float[] x, @Nullable ColumnOrder arrangement, MemorySegment codes, long row) {
        float[] h = Arrays.copyOf(x, Math.ceilDiv(x.length, 8) * 8); // zeros to whole units
        if (gate != null) {
            for (int i = 0; i < x.length; i++) {
                h[i] = Exponential.silu(gate[i]) * x[i];
            }
        }
        transform.applyAcross(h, 0, width);
        return quantizer.quantize(h, null, 0, arrangement, codes, row);
    }
}
