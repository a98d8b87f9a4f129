package dev.obr.compressor.imports;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.cpu.ScalarKernels;
import dev.obr.kernels.cpu.ThreadTeam;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Recovers codes and scales of dequantised weights W [rows, cols] exactly: every entry is its row's scale times a code in [-8, 7], rounded to the type in which W is stored. Rows are
 * independent ({@link RowRecovery}); the result does not depend on the number of threads.
 */
public final class CodeRecovery {
    private static final int ROWS_PER_PART = 16;

    private final ScalarKernels kernels = new ScalarKernels();
    private final ThreadTeam team;

    /** @param team computes rows in parallel */
    public CodeRecovery(ThreadTeam team) {
        this.team = team;
    }

    /**
     * Recovers one weight.
     *
     * @param name of the tensor and its file, for messages
     * @param weight stored as F16, BF16 or F32
     * @throws ObrException naming the first row that lies on no grid of 4-bit codes
     */
    public RecoveredWeight recover(String name, WeightMatrix weight) {
        StoredPrecision precision = StoredPrecision.of(weight.type(), name);
        int rows = weight.rows();
        int cols = weight.cols();
        if ((long) rows * cols > Integer.MAX_VALUE - 8) {
            throw new ObrException(name + " has the shape [" + rows + ", " + cols
                    + "], too large to be imported: a weight may have 2^31 entries");
        }
        byte[] codes = new byte[rows * cols];
        float[] scales = new float[rows];
        team.run(Math.ceilDiv(rows, ROWS_PER_PART), part -> {
            RowRecovery recovery = new RowRecovery(precision);
            float[] row = new float[cols];
            for (int r = part * ROWS_PER_PART; r < Math.min(rows, (part + 1) * ROWS_PER_PART); r++) {
                kernels.dequantizeRow(weight, r, MemorySegment.ofArray(row));
                scales[r] = recovery.recover(row, codes, r * cols);
            }
        });
        for (int r = 0; r < rows; r++) {
            if (Float.isNaN(scales[r])) {
                throw new ObrException(name + ": row " + r + " is no scale times whole numbers from -8 to 7 ("
                        + description(weight, r) + "); this is no 4-bit OBR checkpoint");
            }
        }
        return new RecoveredWeight(rows, cols, codes, scales);
    }

    private String description(WeightMatrix weight, int r) {
        float[] row = new float[weight.cols()];
        kernels.dequantizeRow(weight, r, MemorySegment.ofArray(row));
        for (float value : row) {
            if (!Float.isFinite(value)) {
                return "it holds " + value;
            }
        }
        float[] magnitudes = new float[row.length];
        for (int c = 0; c < row.length; c++) {
            magnitudes[c] = Math.abs(row[c]);
        }
        Arrays.sort(magnitudes);
        int different = 0;
        for (int c = 0; c < magnitudes.length; c++) {
            different += magnitudes[c] != 0 && (c == 0 || magnitudes[c] != magnitudes[c - 1]) ? 1 : 0;
        }
        return "it has " + different + " different magnitudes up to " + magnitudes[magnitudes.length - 1];
    }
}
