package dev.obr.runtime.cpu;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import dev.obr.runtime.transformer.DeviceWeight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * A weight in the form that the float kernels multiply.
 *
 * <p>A packed weight is the matrix of its codes, zeros where nothing is kept. Products with the codes of activations and their sums are whole numbers, and float32 holds them exactly up to
 * 2^24: whatever the order of additions, the kernels compute the integer product. With 4-bit weights that bound allows 16,384 inputs of 8 bits and 262,144 of 4.
 *
 * @param matrix W [out, in], or its codes
 * @param scales [out], by which products with codes are multiplied; null where the matrix holds the weights themselves
 * @param quantizesInputs whether the weight's inputs are quantised
 */
record CpuWeight(WeightMatrix matrix, float @Nullable [] scales, boolean quantizesInputs) implements DeviceWeight {
    static CpuWeight plain(WeightMatrix matrix) {
        return new CpuWeight(matrix, null, false);
    }

    /** The codes in that memory: as the file has them where nothing is missing between them, else unpacked to bytes. */
    static CpuWeight codes(PackedMatrix weight, boolean quantizesInputs, SegmentAllocator memory) {
        float[] scales = new float[weight.rows()];
        for (int r = 0; r < weight.rows(); r++) {
            scales[r] = weight.scale(r);
        }
        DType type = weight.bits() == 8 ? DType.CODES_8 : DType.CODES_4;
        boolean complete = weight.pattern() == Pattern.DENSE && weight.cols() % type.blockSize() == 0;
        WeightMatrix codes = complete
                ? new WeightMatrix(
                        type,
                        weight.rows(),
                        weight.cols(),
                        memory.allocate(weight.codes().byteSize(), 64).copyFrom(weight.codes()))
                : unpacked(weight, memory);
        return new CpuWeight(codes, scales, quantizesInputs);
    }

    private static WeightMatrix unpacked(PackedMatrix weight, SegmentAllocator memory) {
        MemorySegment codes = memory.allocate((long) weight.rows() * weight.cols(), 64);
        byte[] row = new byte[weight.cols()];
        for (int r = 0; r < weight.rows(); r++) {
            weight.unpackRow(r, row, 0);
            MemorySegment.copy(row, 0, codes, ValueLayout.JAVA_BYTE, (long) r * row.length, row.length);
        }
        return new WeightMatrix(DType.CODES_8, weight.rows(), weight.cols(), codes.asReadOnly());
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
