package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * What the kernels {@code rmsnorm_quant_*} compute, bit by bit: {@link ActivationQuantizer} behind an RMS norm, in floats and with sums in the order of a thread block.
 *
 * <pre>
 *   h = (x · norm) · weight, norm = 1 / sqrt(Σ x² / n + eps)          without a weight h = x
 *
 *   Σ: thread t of T adds up units t, t + T, t + 2 T, t + 3 T of 8 columns, each column a fused multiply-add on what came before;
 *      the 32 threads of a warp in halves (l and l + 16, l and l + 8, .. l and l + 1), and so the warps, as 32
 * </pre>
 *
 * <p>Where the layer's columns stand in another order, code j is that of column {@code order.column(j)}: x is coded first and ordered then.
 *
 * <p>The four clips are compared by the sums of (h - scale · code)² with codes that a multiplication by 1 / scale found.
 */
public final class ScalarNormQuantizer {
    private static final int LANES = 32;

    private final ActivationQuantizer quantizer;
    private final TokenLayout layout;

    public ScalarNormQuantizer(ActivationQuantizer quantizer, TokenLayout layout) {
        this.quantizer = quantizer;
        this.layout = layout;
    }

    /**
     * Codes one token.
     *
     * @param x [n]; becomes h
     * @param weight [n] of the norm
     * @param order of the codes' columns; without, that of x
     * @param codes of all tokens; the row that begins at {@code row} holds zeros
     * @return the scale
     */
    public float quantize(
            float[] x,
            float @Nullable [] weight,
            float eps,
            @Nullable ColumnOrder order,
            MemorySegment codes,
            long row) {
        if (weight != null) {
            norm(x, weight, eps);
        }
        float scale = scale(x);
        int columns = order == null ? x.length : order.size();
        for (int j = 0; j < columns; j++) {
            layout.put(codes, row, j, code(x[order == null ? j : order.column(j)] / scale));
        }
        return scale;
    }

    /** The norm alone, in place; what {@code rmsnorm_f16} rounds to half floats. */
    public static void norm(float[] x, float[] weight, float eps) {
        float norm = 1 / (float) Math.sqrt(sum(x, (v, sum) -> Math.fma(v, v, sum)) / x.length + eps);
        for (int i = 0; i < x.length; i++) {
            x[i] = x[i] * norm * weight[i];
        }
    }

    private float scale(float[] h) {
        return quantizer.scale(new ActivationQuantizer.Token() {
            @Override
            public float largest() {
                float largest = 0;
                for (float v : h) {
                    largest = Math.max(largest, Math.abs(v));
                }
                return largest;
            }

            @Override
            public double squaredError(float scale, int most) {
                float inverse = 1 / scale;
                return sum(h, (v, sum) -> {
                    float lost = Math.fma(-scale, (float) code(v * inverse), v);
                    return Math.fma(lost, lost, sum);
                });
            }
        });
    }

    private int code(float steps) {
        return Math.clamp((int) Math.rint(steps), -quantizer.most() - 1, quantizer.most());
    }

    /** One more term of a sum. */
    private interface Term {
        float add(float v, float sum);
    }

    private static float sum(float[] x, Term term) {
        int threads = NormQuantizer.threads(x.length);
        float[] warps = new float[LANES];
        for (int warp = 0; warp < threads / LANES; warp++) {
            float[] lanes = new float[LANES];
            for (int lane = 0; lane < LANES; lane++) {
                int first = (warp * LANES + lane) * NormQuantizer.UNIT;
                for (int unit = first; unit < x.length; unit += threads * NormQuantizer.UNIT) {
                    for (int i = unit; i < unit + NormQuantizer.UNIT; i++) {
                        lanes[lane] = term.add(x[i], lanes[lane]);
                    }
                }
            }
            warps[warp] = halved(lanes);
        }
        return halved(warps);
    }

    private static float halved(float[] lanes) {
        for (int half = LANES / 2; half > 0; half /= 2) {
            for (int lane = 0; lane < half; lane++) {
                lanes[lane] += lanes[lane + half];
            }
        }
        return lanes[0];
    }
}
