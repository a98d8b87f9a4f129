package dev.obr.compressor.pipeline;

import dev.obr.compressor.quantizer.WeightGrid;
import dev.obr.compressor.quantizer.WeightQuantizer;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.packed.PlainTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The LM head [vocabulary, hidden] in codes of 8 or 4 bits, rounded to nearest, one scale per row; those of 4 bits with a searched clip.
 *
 * <p>Nothing is pruned and its inputs are not coded as activations: beside layers of 2.5 bits a weight, a head in half precision would be a third of what a small model reads for each token.
 */
final class PackedHead {
    /** Rows that are in float32 at a time. */
    private static final int ROWS = 1024;

    private PackedHead() {}

    /**
     * Packs the head a few rows at a time.
     *
     * @param bits of a code, 4 or 8
     * @param arena owns the result
     * @throws dev.obr.kernels.ObrException where a weight is not finite
     */
    static PackedMatrix pack(
            String name, int rows, int cols, int bits, PlainTensor.Rows source, ThreadTeam team, Arena arena) {
        WeightGrid grid = WeightGrid.perRow(bits, true, bits == 4);
        long rowBytes = Math.ceilDiv((long) cols * bits, 8);
        MemorySegment codes = arena.allocate(rows * rowBytes);
        MemorySegment scales = arena.allocate((long) rows * Float.BYTES);
        for (int from = 0; from < rows; from += ROWS) {
            Matrix some = source.make(from, Math.min(ROWS, rows - from));
            PlainTensor.checkFinite(name, some.values(), cols, from);
            PackedMatrix packed = pack(some, WeightQuantizer.fit(some, grid, team));
            MemorySegment.copy(
                    packed.codes(), 0, codes, from * rowBytes, packed.codes().byteSize());
            MemorySegment.copy(
                    packed.scales(), 0, scales, 4L * from, packed.scales().byteSize());
        }
        return new PackedMatrix(Pattern.DENSE, bits, rows, cols, codes, MemorySegment.NULL, scales);
    }

    private static PackedMatrix pack(Matrix weight, WeightQuantizer quantizer) {
        byte[] codes = new byte[weight.values().length];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) quantizer.code(i / weight.cols(), i % weight.cols(), weight.values()[i]);
        }
        return Packing.pack(
                Pattern.DENSE,
                quantizer.grid().bits(),
                weight.rows(),
                weight.cols(),
                codes,
                new boolean[0],
                quantizer.scale());
    }
}
