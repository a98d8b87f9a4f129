package dev.obr.bench.gemm;

import dev.obr.kernels.packed.PackedMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Weights of half floats as rows of kept entries (CSR).
 *
 * @param starts [rows + 1]: where each row begins among the entries
 * @param indices [entries]: their columns, ascending in each row
 * @param values fp16 [entries]
 */
record CsrHalves(int[] starts, int[] indices, short[] values) {
    /** The entries that an unstructured mask keeps, those that are 0 among them. */
    static CsrHalves of(PackedMatrix weight) {
        int rows = weight.rows();
        int cols = weight.cols();
        int[] starts = new int[rows + 1];
        for (int row = 0; row < rows; row++) {
            int kept = 0;
            MemorySegment mask = weight.rowIndex(row);
            for (int c = 0; c < cols; c++) {
                kept += keeps(mask, c) ? 1 : 0;
            }
            starts[row + 1] = starts[row] + kept;
        }
        int[] indices = new int[starts[rows]];
        short[] values = new short[starts[rows]];
        float[] row = new float[cols];
        int entry = 0;
        for (int r = 0; r < rows; r++) {
            weight.dequantizeRow(r, row, 0);
            MemorySegment mask = weight.rowIndex(r);
            for (int c = 0; c < cols; c++) {
                if (keeps(mask, c)) {
                    indices[entry] = c;
                    values[entry++] = Float.floatToFloat16(row[c]);
                }
            }
        }
        return new CsrHalves(starts, indices, values);
    }

    private static boolean keeps(MemorySegment mask, int column) {
        return (mask.get(ValueLayout.JAVA_BYTE, column / 8) >> column % 8 & 1) != 0;
    }
}
