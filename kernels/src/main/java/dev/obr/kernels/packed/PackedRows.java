package dev.obr.kernels.packed;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.function.IntUnaryOperator;

/** Rows of a packed matrix in another order. A row's bytes stay as they are. */
public final class PackedRows {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private PackedRows() {}

    /**
     * A new matrix whose row r is row {@code source(r)} of {@code matrix}.
     *
     * @param source a permutation of the rows
     */
    public static PackedMatrix inOrder(PackedMatrix matrix, IntUnaryOperator source) {
        MemorySegment codes =
                MemorySegment.ofArray(new byte[Math.toIntExact(matrix.codes().byteSize())]);
        MemorySegment index =
                MemorySegment.ofArray(new byte[Math.toIntExact(matrix.index().byteSize())]);
        MemorySegment scales = MemorySegment.ofArray(new byte[4 * matrix.rows()]);
        long toCodes = 0;
        long toIndex = 0;
        for (int r = 0; r < matrix.rows(); r++) {
            int row = source.applyAsInt(r);
            MemorySegment rowCodes = matrix.rowCodes(row);
            MemorySegment rowIndex = matrix.rowIndex(row);
            MemorySegment.copy(rowCodes, 0, codes, toCodes, rowCodes.byteSize());
            MemorySegment.copy(rowIndex, 0, index, toIndex, rowIndex.byteSize());
            scales.set(FLOAT, 4L * r, matrix.scale(row));
            toCodes += rowCodes.byteSize();
            toIndex += rowIndex.byteSize();
        }
        return new PackedMatrix(matrix.pattern(), matrix.bits(), matrix.rows(), matrix.cols(), codes, index, scales);
    }
}
