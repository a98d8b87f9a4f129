package dev.obr.kernels.gpu.attention;

import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.quantize.KvQuantizer;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * What the kernels {@code rope_hadamard_kv4_append_*} compute for one head of one token, bit by bit: rotation, transform and codes, each float rounded once an operation.
 *
 * <pre>
 *   (a, b) = (x[i], x[i + headDim / 2])  ->  (a cos_i - b sin_i, b cos_i + a sin_i)
 * </pre>
 */
public final class ScalarKvAppend {
    private final int headDim;
    private final @Nullable HadamardTransform transform;

    /** @param hadamard whether queries and keys are transformed behind their rotation */
    public ScalarKvAppend(int headDim, boolean hadamard) {
        this.headDim = headDim;
        this.transform = hadamard ? HadamardTransform.of(headDim).orElseThrow() : null;
    }

    /**
     * A query or key, in place.
     *
     * @param rotation headDim / 2 cosines, then sines, of the token's position
     */
    public void rotate(float[] x, float[] rotation) {
        int half = headDim / 2;
        for (int i = 0; i < half; i++) {
            float a = x[i];
            float b = x[i + half];
            x[i] = a * rotation[i] - b * rotation[half + i];
            x[i + half] = b * rotation[i] + a * rotation[half + i];
        }
        if (transform != null) {
            transform.apply(x, 0);
        }
    }

    /** A rotated key or a value: the bytes of {@link KvQuantizer}, whose first headDim / 2 are codes and whose last 4 a step. */
    public void code(float[] x, MemorySegment bytes) {
        new KvQuantizer(4, headDim).store(x, 0, bytes, 0);
    }
}
