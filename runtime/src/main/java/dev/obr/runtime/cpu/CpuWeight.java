package dev.obr.runtime.cpu;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.runtime.transformer.DeviceWeight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * A weight in the form that the float kernels multiply.
 *
 * <p>A packed weight becomes the matrix of its codes as half floats, which hold whole numbers up to 2048 exactly, zeros where nothing is kept. Products with the codes of activations
 * and their sums are whole numbers, too, and float32 holds them exactly up to 2^24: whatever the order of additions, the kernels compute the integer product. With 4-bit weights
 * that bound allows 16,384 inputs of 8 bits and 262,144 of 4.
 *
 * @param matrix W [out, in], or its codes
 * @param scales [out], by which products with codes are multiplied; null where the matrix holds the weights themselves
 * @param packed whether the weight's inputs are quantised
 */
record CpuWeight(WeightMatrix matrix, float @Nullable [] scales, boolean packed) implements DeviceWeight {
    static CpuWeight plain(WeightMatrix matrix) {
        return new CpuWeight(matrix, null, false);
    }

    /** Unpacks the codes. */
    static CpuWeight codes(PackedMatrix weight, Arena arena) {
        MemorySegment halves = arena.allocate(2L * weight.rows() * weight.cols(), 64);
        float[] scales = new float[weight.rows()];
        byte[] row = new byte[weight.cols()];
        short[] half = new short[weight.cols()];
        for (int r = 0; r < weight.rows(); r++) {
            scales[r] = weight.scale(r);
            weight.unpackRow(r, row, 0);
            for (int c = 0; c < row.length; c++) {
                half[c] = Float.floatToFloat16(row[c]);
            }
            MemorySegment.copy(half, 0, halves, ValueLayout.JAVA_SHORT, 2L * r * half.length, half.length);
        }
        return new CpuWeight(
                new WeightMatrix(DType.F16, weight.rows(), weight.cols(), halves.asReadOnly()), scales, true);
    }

    /** Unpacks the numbers that the codes stand for. */
    static CpuWeight dequantized(PackedMatrix weight, Arena arena) {
        MemorySegment floats = arena.allocate(4L * weight.rows() * weight.cols(), 64);
        float[] row = new float[weight.cols()];
        for (int r = 0; r < weight.rows(); r++) {
            weight.dequantizeRow(r, row, 0);
            MemorySegment.copy(row, 0, floats, ValueLayout.JAVA_FLOAT, 4L * r * row.length, row.length);
        }
        return new CpuWeight(
                new WeightMatrix(DType.F32, weight.rows(), weight.cols(), floats.asReadOnly()), null, true);
    }

    @Override
    public int rows() {
        return matrix.rows();
    }

    @Override
    public int cols() {
        return matrix.cols();
    }
}
