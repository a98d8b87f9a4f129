package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A 4-bit weight in the order in which tensor cores take it into registers: nothing is rearranged on the device.
 *
 * <pre>
 *   codes  [features / 16][columns / 128] blocks of 512 bytes    | lane 0: a0 a1 a2 a3 | lane 1 | .. | lane 31 |     4-byte words; dense: two such, 1024 bytes
 *   kept   [features / 16][columns / 128] blocks of 128 bytes    | lane 0: e           | lane 1 | .. | lane 31 |     2:4: two words a lane, 256 bytes; dense: nothing
 *   scales float32 [features]
 *
 *   lane = 4 g + t, chunk m = 0 .. 15 of a step of 128 columns: 8 columns, of which the 4 kept codes are stored in 16 bits, ascending; dense: 8 codes in 32 bits
 *
 *              row        low 16 bits      high 16 bits               row          8 nibbles, lowest first, one a chunk: bits 1:0 the first kept,
 *        a0    g          chunk 2t         chunk 2t + 1        e t=0  g            chunks 0 .. 7                          bits 3:2 the second
 *        a1    g + 8      chunk 2t         chunk 2t + 1          t=1  g + 8        chunks 0 .. 7
 *        a2    g          chunk 2t + 8     chunk 2t + 9          t=2  g            chunks 8 .. 15
 *        a3    g + 8      chunk 2t + 8     chunk 2t + 9          t=3  g + 8        chunks 8 .. 15
 *
 *   dense      row        first 512 bytes  next 512
 *        a0    g          chunk t          chunk t + 8
 *        a1    g + 8      chunk t          chunk t + 8
 *        a2    g          chunk t + 4      chunk t + 12
 *        a3    g + 8      chunk t + 4      chunk t + 12
 *
 *   chunk m of the instruction is chunk 4 (m % 4) + m / 4 of the matrix:     m            0 1  2  3 4 5  6  7 8 9 10 11 12 13 14 15
 *                                                                            of matrix    0 4  8 12 1 5  9 13 2 6 10 14  3  7 11 15
 * </pre>
 *
 * <p>The columns of a step are a sum's terms, so any order serves that weights and activations share. With this one (a 4 x 4 transpose) the four words that lane (g, t) needs of an
 * activation row are 16 consecutive bytes of it.
 *
 * <p>4:8p: a nibble counts pairs. The codes are for {@code mma.sp.m16n8k128.s4}, and the even and odd ones of them for two {@code mma.sp.m16n8k64.s8} with the same metadata.
 *
 * <p>2:4: a chunk is two groups of 4 columns, a nibble counts the columns of one. {@code mma.sp.m16n8k64.s8} multiplies the first groups of all chunks by the first word of metadata, then the
 * second ones by the second. A chunk's codes alternate, first group, second group, so that the even ones are those of the first product.
 *
 * <p>Any other mask: dense blocks without their zeros in {@code codes}, and in {@code kept} where each begins: {@link BitmapBlocks}.
 *
 * <p>Features are filled up to 16 and columns to 128 with zeros that keep the first ones. 2.5 bits a weight on 4:8p, 3 on 2:4 and of any half, 4 dense. Values and nibbles are those of the canonical layout,
 * moved.
 *
 * @param pattern of the weight
 * @param features output channels
 * @param columns input channels
 */
public record SparseFragments(
        Pattern pattern, int features, int columns, MemorySegment codes, MemorySegment kept, MemorySegment scales) {
    /** Features of a block. */
    public static final int BLOCK_FEATURES = 16;

    /** Columns of a block, and of a step of the kernels. */
    public static final int STEP = 128;

    /** Columns of a chunk. */
    static final int CHUNK = 8;

    private static final int CHUNKS = STEP / CHUNK;
    private static final int FIRST_TWO = 0x4; // keeps 0 and 1

    private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Steps that the kernels take along the columns. */
    public int steps() {
        return steps(columns);
    }

    /** Steps along so many columns, the last one filled up. */
    public static int steps(int columns) {
        return Math.ceilDiv(columns, STEP);
    }

    /** Blocks of a matrix. */
    static long blocks(int features, int columns) {
        return (long) Math.ceilDiv(features, BLOCK_FEATURES) * steps(columns);
    }

    /** The chunk of the matrix that the instruction takes as chunk m, and the other way round. */
    static int transposed(int m) {
        return 4 * (m % 4) + m / 4;
    }

    /**
     * Moves a packed matrix into this order.
     *
     * @param matrix 4-bit codes
     * @param arena owns the new memory
     * @throws ObrException where the codes are of 8 bits, or an index keeps no two ascending pairs or columns: undefined on tensor cores
     */
    public static SparseFragments of(PackedMatrix matrix, Arena arena) {
        FragmentOrder order = FragmentOrder.of(matrix.pattern());
        if (matrix.bits() != 4) {
            throw new ObrException("tensor cores take 4-bit weights, not " + matrix.bits()
                    + "-bit ones: compress the model with --bits 4");
        }
        MemorySegment scales = arena.allocate((long) matrix.rows() * Float.BYTES, 16);
        MemorySegment.copy(matrix.scales(), 0, scales, 0, scales.byteSize());
        MemorySegment codes;
        MemorySegment kept;
        if (order == FragmentOrder.BITMAP) {
            try (Arena temporary = Arena.ofConfined()) {
                BitmapBlocks bitmap = BitmapBlocks.of(codes(matrix, order, temporary), arena);
                codes = bitmap.blocks();
                kept = bitmap.starts();
            }
        } else {
            codes = codes(matrix, order, arena);
            kept = kept(matrix, order, arena);
        }
        return new SparseFragments(matrix.pattern(), matrix.rows(), matrix.cols(), codes, kept, scales);
    }

    private static MemorySegment codes(PackedMatrix matrix, FragmentOrder order, Arena arena) {
        int steps = steps(matrix.cols());
        MemorySegment codes = arena.allocate(blocks(matrix.rows(), matrix.cols()) * order.codeBytes(), 16);
        for (int row = 0; row < matrix.rows(); row++) {
            MemorySegment source = order == FragmentOrder.BITMAP ? denseRow(matrix, row) : matrix.rowCodes(row);
            for (int chunk = 0; chunk < steps * CHUNKS; chunk++) {
                long block = (long) (row / BLOCK_FEATURES) * steps + chunk / CHUNKS;
                int arranged = order.arranged(chunkCodes(source, chunk, order.codesPerChunk() / 2));
                int place = order.codePlace(row % BLOCK_FEATURES, transposed(chunk % CHUNKS));
                for (int i = 0; i < order.codesPerChunk() / 2; i++) {
                    codes.set(ValueLayout.JAVA_BYTE, block * order.codeBytes() + place + i, (byte) (arranged >> 8 * i));
                }
            }
        }
        return codes;
    }

    /** A chunk's codes in the order of the columns, 0 after the end of the row. */
    private static int chunkCodes(MemorySegment row, int chunk, int bytes) {
        int bits = 0;
        for (int i = 0; i < bytes && (long) bytes * chunk + i < row.byteSize(); i++) {
            bits |= (row.get(ValueLayout.JAVA_BYTE, (long) bytes * chunk + i) & 255) << 8 * i;
        }
        return bits;
    }

    /** A row as the canonical layout has a dense one. */
    private static MemorySegment denseRow(PackedMatrix matrix, int row) {
        byte[] signed = new byte[matrix.cols() + 1];
        matrix.unpackRow(row, signed, 0);
        byte[] codes = new byte[Math.ceilDiv(matrix.cols(), 2)];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) (signed[2 * i] & 15 | signed[2 * i + 1] << 4);
        }
        return MemorySegment.ofArray(codes);
    }

    private static MemorySegment kept(PackedMatrix matrix, FragmentOrder order, Arena arena) {
        int steps = steps(matrix.cols());
        long blocks = blocks(matrix.rows(), matrix.cols());
        MemorySegment kept = arena.allocate(blocks * order.keptBytes(), 16);
        for (long block = 0; block < blocks; block++) {
            long words = block * order.keptBytes() / Integer.BYTES;
            for (int blockRow = 0; blockRow < BLOCK_FEATURES; blockRow++) {
                int row = (int) (block / steps) * BLOCK_FEATURES + blockRow;
                for (int half = 0; half < 2; half++) {
                    for (int product = 0; product < order.keptPerChunk(); product++) {
                        int word = 0;
                        for (int j = 0; j < CHUNKS / 2; j++) {
                            int chunk = (int) (block % steps) * CHUNKS + transposed(half * CHUNKS / 2 + j);
                            word |= kept(matrix, row, chunk * order.keptPerChunk() + product, order) << 4 * j;
                        }
                        kept.setAtIndex(WORD, words + order.keptPlace(blockRow, half, product), word);
                    }
                }
            }
        }
        return kept;
    }

    /** What a row's n-th nibble keeps. */
    private static int kept(PackedMatrix matrix, int row, int n, FragmentOrder order) {
        if (row >= matrix.rows() || (long) n * CHUNK >= (long) matrix.cols() * order.keptPerChunk()) {
            return FIRST_TWO;
        }
        int two = matrix.rowIndex(row).get(ValueLayout.JAVA_BYTE, n / 2) >> n % 2 * 4 & 15;
        if ((two & 3) >= two >> 2) {
            int columns = CHUNK / order.keptPerChunk();
            throw new ObrException("row " + row + " keeps " + (two & 3) + " and " + (two >> 2) + " of columns "
                    + n * columns + " to " + (n * columns + columns - 1)
                    + ", but two ascending ones are expected; the file is damaged: compress the model again");
        }
        return two;
    }

    /**
     * The codes in place: 0 where nothing is kept.
     *
     * @return signed [features, columns]
     */
    public byte[] unpack() {
        FragmentOrder order = FragmentOrder.of(pattern);
        if (order == FragmentOrder.BITMAP) {
            try (Arena temporary = Arena.ofConfined()) {
                MemorySegment dense = new BitmapBlocks(codes, kept).dense(temporary);
                return new SparseFragments(Pattern.DENSE, features, columns, dense, kept, scales).unpack();
            }
        }
        byte[] signed = new byte[Math.multiplyExact(features, columns)];
        for (int feature = 0; feature < features; feature++) {
            for (int chunk = 0; chunk < Math.ceilDiv(columns, CHUNK); chunk++) {
                long block = (long) (feature / BLOCK_FEATURES) * steps() + chunk / CHUNKS;
                unpackChunk(order, block, feature, chunk, signed);
            }
        }
        return signed;
    }

    private void unpackChunk(FragmentOrder order, long block, int feature, int chunk, byte[] signed) {
        int row = feature % BLOCK_FEATURES;
        int m = transposed(chunk % CHUNKS); // its own inverse
        long at = block * order.codeBytes() + order.codePlace(row, m);
        int bits = 0;
        for (int i = 0; i < order.codesPerChunk() / 2; i++) {
            bits |= (codes.get(ValueLayout.JAVA_BYTE, at + i) & 255) << 8 * i;
        }
        int keeps = 0;
        for (int product = 0; product < order.keptPerChunk(); product++) {
            long word = block * order.keptBytes() / Integer.BYTES + order.keptPlace(row, m / 8, product);
            keeps |= (kept.getAtIndex(WORD, word) >> 4 * (m % 8) & 15) << 4 * product;
        }
        int ordered = order.arranged(bits);
        for (int i = 0; i < order.codesPerChunk(); i++) {
            int column = chunk * CHUNK + order.column(i, keeps);
            if (column < columns) {
                signed[feature * columns + column] = (byte) (ordered << 28 - 4 * i >> 28);
            }
        }
    }
}
