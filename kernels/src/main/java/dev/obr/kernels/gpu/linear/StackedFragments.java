package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Weights that multiply the same input, one below the other: one launch makes the results of all.
 *
 * <pre>
 *   q, k, v [172, K]  ->  | q 172 | 0 x 4 | k 172 | 0 x 4 | v 172 | 0 x 4 |  features: each begins with a block of 16, the last ends with 8
 * </pre>
 *
 * @param fragments of all
 * @param firsts the feature with which each begins
 */
public record StackedFragments(SparseFragments fragments, List<Integer> firsts) {
    private static final int LAST_UNIT = 8; // features that are stored at once
    private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    public StackedFragments {
        firsts = List.copyOf(firsts);
    }

    /**
     * Moves packed matrices of as many columns into the kernels' order.
     *
     * @param arena owns the new memory
     * @throws ObrException where their patterns differ, or {@link SparseFragments#of} refuses one
     */
    public static StackedFragments of(List<PackedMatrix> matrices, Arena arena) {
        Pattern pattern = matrices.getFirst().pattern();
        int columns = matrices.getFirst().cols();
        try (Arena temporary = Arena.ofConfined()) {
            List<SparseFragments> parts = new ArrayList<>();
            List<Integer> firsts = new ArrayList<>();
            int features = 0;
            for (PackedMatrix matrix : matrices) {
                if (matrix.pattern() != pattern) {
                    throw new ObrException("linear layers that share their input are on the patterns " + pattern
                            + " and " + matrix.pattern()
                            + ", but one product makes the results of all: compress them on one pattern");
                }
                parts.add(SparseFragments.of(matrix, temporary));
                firsts.add(features);
                features += filled(matrix.rows(), SparseFragments.BLOCK_FEATURES);
            }
            int rows = firsts.getLast() + filled(matrices.getLast().rows(), LAST_UNIT);
            MemorySegment scales = arena.allocate((long) rows * Float.BYTES, 16); // zeros where there is no feature
            for (int i = 0; i < parts.size(); i++) {
                MemorySegment own = parts.get(i).scales();
                MemorySegment.copy(own, 0, scales, (long) firsts.get(i) * Float.BYTES, own.byteSize());
            }
            MemorySegment codes =
                    joined(parts.stream().map(SparseFragments::codes).toList(), arena);
            MemorySegment kept = FragmentOrder.of(pattern) == FragmentOrder.BITMAP
                    ? starts(parts.stream().map(SparseFragments::kept).toList(), arena)
                    : joined(parts.stream().map(SparseFragments::kept).toList(), arena);
            return new StackedFragments(new SparseFragments(pattern, rows, columns, codes, kept, scales), firsts);
        }
    }

    private static int filled(int features, int unit) {
        return Math.ceilDiv(features, unit) * unit;
    }

    private static MemorySegment joined(List<MemorySegment> parts, Arena arena) {
        MemorySegment all =
                arena.allocate(parts.stream().mapToLong(MemorySegment::byteSize).sum(), 16);
        long at = 0;
        for (MemorySegment part : parts) {
            MemorySegment.copy(part, 0, all, at, part.byteSize());
            at += part.byteSize();
        }
        return all;
    }

    /** Where the blocks of all begin: each part's, behind the last one's end. */
    private static MemorySegment starts(List<MemorySegment> parts, Arena arena) {
        long count = parts.stream()
                .mapToLong(part -> part.byteSize() / Integer.BYTES - 1)
                .sum();
        MemorySegment all = arena.allocate((count + 1) * Integer.BYTES, 16);
        long block = 0;
        for (MemorySegment part : parts) {
            int before = all.getAtIndex(WORD, block);
            for (long i = 1; i < part.byteSize() / Integer.BYTES; i++) {
                all.setAtIndex(WORD, ++block, Math.addExact(before, part.getAtIndex(WORD, i)));
            }
        }
        return all;
    }
}
