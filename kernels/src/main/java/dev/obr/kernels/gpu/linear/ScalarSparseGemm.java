package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.packed.PackedMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * What the kernels of {@link SparseGemm} compute, bit by bit:
 *
 * <pre>
 *   y [tokens, features] = fp16( float(W . x) · (ws [feature] · xs [token]) + bias [feature] )       each operation rounded to float
 *                          fp16( y + residual [token, feature] )                                     where there is one
 * </pre>
 *
 * <p>W.x is a sum of whole numbers and exact; above 2^24 it is rounded to a float, too.
 */
public final class ScalarSparseGemm {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort HALF = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private ScalarSparseGemm() {}

    /**
     * @param x codes of {@code tokens} rows in {@code layout}
     * @param xs float32 [tokens]
     * @param bias float32 [features]
     * @param residual fp16 [tokens, features]; may be {@code y}
     * @param y fp16 [tokens, features]
     */
    public static void multiply(
            PackedMatrix w,
            TokenLayout layout,
            MemorySegment x,
            MemorySegment xs,
            int tokens,
            @Nullable MemorySegment bias,
            @Nullable MemorySegment residual,
            MemorySegment y) {
        byte[] codes = new byte[w.cols()];
        for (int feature = 0; feature < w.rows(); feature++) {
            w.unpackRow(feature, codes, 0);
            for (int token = 0; token < tokens; token++) {
                int product = 0;
                for (int c = 0; c < codes.length; c++) {
                    product += codes[c] * layout.get(x, (long) token * layout.rowBytes(w.cols()), c);
                }
                float scale = w.scale(feature) * xs.getAtIndex(FLOAT, token);
                float value = product * scale + (bias == null ? 0 : bias.getAtIndex(FLOAT, feature));
                long at = (long) token * w.rows() + feature;
                short rounded = Float.floatToFloat16(value);
                if (residual != null) {
                    float sum = Float.float16ToFloat(rounded) + Float.float16ToFloat(residual.getAtIndex(HALF, at));
                    rounded = Float.floatToFloat16(sum);
                }
                y.setAtIndex(HALF, at, rounded);
            }
        }
    }
}
