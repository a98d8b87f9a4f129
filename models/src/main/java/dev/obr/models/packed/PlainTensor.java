package dev.obr.models.packed;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.models.file.TensorBytes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A tensor of a packed model that is not packed: a norm, a bias, the embedding, the head.
 *
 * @param name its Hugging Face name
 * @param type F32 or F16
 * @param shape outermost dimension first
 * @param content asked for when its turn comes to be written
 */
public record PlainTensor(String name, DType type, List<Integer> shape, TensorBytes content) {
    /** Rows of a half-precision tensor that are made at a time. */
    private static final int ROWS = 256;

    /** Makes rows {@code from .. from + count} of a matrix. */
    @FunctionalInterface
    public interface Rows {
        Matrix make(int from, int count);
    }

    /**
     * A vector in float32: norms and biases, which are small.
     *
     * @throws ObrException where a value is not finite
     */
    public static PlainTensor vector(String name, float[] values) {
        checkFinite(name, values, 1, 0);
        MemorySegment bytes = MemorySegment.ofArray(new byte[4 * values.length]);
        MemorySegment.copy(
                values,
                0,
                bytes,
                ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN),
                0,
                values.length);
        return new PlainTensor(name, DType.F32, List.of(values.length), TensorBytes.of(bytes));
    }

    /**
     * A matrix in half precision, made a few rows at a time: embedding and head.
     *
     * @throws ObrException while it is written, where a value is too large for half precision or not finite
     */
    public static PlainTensor halves(String name, int rows, int cols, Rows source) {
        return new PlainTensor(name, DType.F16, List.of(rows, cols), out -> {
            for (int from = 0; from < rows; from += ROWS) {
                Matrix some = source.make(from, Math.min(ROWS, rows - from));
                MemorySegment bytes = MemorySegment.ofArray(new byte[2 * some.values().length]);
                for (int i = 0; i < some.values().length; i++) {
                    bytes.set(
                            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN),
                            2L * i,
                            half(some.values()[i], name, from + i / cols));
                }
                TensorBytes.of(bytes).writeTo(out);
            }
        });
    }

    private static short half(float value, String name, int row) {
        short half = Float.floatToFloat16(value);
        if (!Float.isFinite(Float.float16ToFloat(half))) {
            String place = "in row " + row;
            throw unusable(
                    name, value, place, Float.isFinite(value) ? "too large for half precision" : "no finite number");
        }
        return half;
    }

    /**
     * Checks what is about to be packed.
     *
     * @param values whole rows of the tensor
     * @param cols of a row
     * @param firstRow of the values
     * @throws ObrException at the first that is not finite, naming its row
     */
    public static void checkFinite(String name, float[] values, int cols, int firstRow) {
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw unusable(
                        name, values[i], cols == 1 ? "at " + i : "in row " + (firstRow + i / cols), "no finite number");
            }
        }
    }

    private static ObrException unusable(String name, float value, String place, String fault) {
        return new ObrException("tensor " + name + " has the value " + value + " " + place + ", which is " + fault
                + "; the model cannot be packed");
    }
}
