package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A weight on the pattern 4:8p in the order in which {@code mma.sp.m16n8k128.s4} takes it into registers: nothing is rearranged on the device.
 *
 * <pre>
 *   codes  [features / 16][columns / 128] blocks of 512 bytes    | lane 0: a0 a1 a2 a3 | lane 1 | .. | lane 31 |     4-byte words
 *   kept   [features / 16][columns / 128] blocks of 128 bytes    | lane 0: e           | lane 1 | .. | lane 31 |
 *   scales float32 [features]
 *
 *   lane = 4 g + t, chunk m = 0 .. 15 of a step of 128 columns: 8 columns, of which the 4 codes of the two kept pairs are stored in 16 bits, ascending
 *
 *              row        low 16 bits      high 16 bits               row          8 nibbles, lowest first, one a chunk: bits 1:0 the first kept pair,
 *        a0    g          chunk 2t         chunk 2t + 1        e t=0  g            chunks 0 .. 7                          bits 3:2 the second
 *        a1    g + 8      chunk 2t         chunk 2t + 1          t=1  g + 8        chunks 0 .. 7
 *        a2    g          chunk 2t + 8     chunk 2t + 9          t=2  g            chunks 8 .. 15
 *        a3    g + 8      chunk 2t + 8     chunk 2t + 9          t=3  g + 8        chunks 8 .. 15
 *
 *   chunk m of the instruction is chunk 4 (m % 4) + m / 4 of the matrix:     m            0 1  2  3 4 5  6  7 8 9 10 11 12 13 14 15
 *                                                                            of matrix    0 4  8 12 1 5  9 13 2 6 10 14  3  7 11 15
 * </pre>
 *
 * <p>The columns of a step are a sum's terms, so any order serves that weights and activations share. With this one (a 4 x 4 transpose) the four words that lane (g, t) needs of an
 * activation row are 16 consecutive bytes of it.
 *
 * <p>Features are filled up to 16 and columns to 128 with zeros that keep pairs 0 and 1. 2.5 bits a weight. Values and nibbles are those of the canonical layout, moved.
 *
 * @param features output channels
 * @param columns input channels
 */
public record SparseFragments(
        int features, int columns, MemorySegment codes, MemorySegment kept, MemorySegment scales) {
    /** Features of a block. */
    public static final int BLOCK_FEATURES = 16;

    /** Columns of a block, and of a step of the kernels. */
    public static final int STEP = 128;

    private static final int LANES = 32;
    private static final int REGISTERS = 4;

    /** Bytes of a block's codes. */
    static final int CODE_BYTES = LANES * REGISTERS * Integer.BYTES;

    /** Bytes of what says which pairs a block keeps. */
    static final int KEPT_BYTES = LANES * Integer.BYTES;

    private static final int CHUNK = 8; // columns
    private static final int CHUNKS = STEP / CHUNK;
    private static final int FIRST_PAIRS = 0x4; // keeps pairs 0 and 1

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
     * @param matrix 4-bit codes on 4:8p
     * @param arena owns the new memory
     * @throws ObrException where the matrix is none of that kind, or its index keeps no two ascending pairs: undefined on tensor cores
     */
    public static SparseFragments of(PackedMatrix matrix, Arena arena) {
        if (matrix.pattern() != Pattern.PAIRS_4_OF_8 || matrix.bits() != 4) {
            throw new ObrException("sparse tensor cores take 4-bit weights on the pattern " + Pattern.PAIRS_4_OF_8
                    + ", not " + matrix.bits() + "-bit weights on the pattern " + matrix.pattern()
                    + ": compress the model with --pattern " + Pattern.PAIRS_4_OF_8);
        }
        int blockRows = Math.ceilDiv(matrix.rows(), BLOCK_FEATURES);
        int steps = steps(matrix.cols());
        long blocks = blocks(matrix.rows(), matrix.cols());
        MemorySegment codes = arena.allocate(blocks * CODE_BYTES, 16);
        MemorySegment kept = arena.allocate(blocks * KEPT_BYTES, 16);
        for (int row = 0; row < blockRows * BLOCK_FEATURES; row++) {
            Row source = row < matrix.rows() ? new Row(matrix, row) : Row.ZEROS;
            for (int step = 0; step < steps; step++) {
                long block = (long) (row / BLOCK_FEATURES) * steps + step;
                for (int m = 0; m < CHUNKS; m += 2) {
                    int low = source.codes(step * CHUNKS + transposed(m));
                    int high = source.codes(step * CHUNKS + transposed(m + 1));
                    codes.setAtIndex(
                            WORD, block * LANES * REGISTERS + codeWord(row % BLOCK_FEATURES, m), low | high << 16);
                }
                for (int half = 0; half < 2; half++) {
                    int word = 0;
                    for (int j = 0; j < CHUNKS / 2; j++) {
                        word |= source.kept(step * CHUNKS + transposed(half * CHUNKS / 2 + j)) << 4 * j;
                    }
                    kept.setAtIndex(WORD, block * LANES + keptLane(row % BLOCK_FEATURES, half), word);
                }
            }
        }
        MemorySegment scales = arena.allocate((long) matrix.rows() * Float.BYTES, 16);
        MemorySegment.copy(matrix.scales(), 0, scales, 0, scales.byteSize());
        return new SparseFragments(matrix.rows(), matrix.cols(), codes, kept, scales);
    }

    /** The word of a block that holds chunks m and m + 1 (m even) of a row. */
    private static int codeWord(int row, int m) {
        int lane = 4 * (row % 8) + m / 2 % 4;
        int register = 2 * (m / 8) + row / 8;
        return lane * REGISTERS + register;
    }

    /** The lane whose word says what half a row's chunks keep. */
    private static int keptLane(int row, int half) {
        return 4 * (row % 8) + 2 * half + row / 8;
    }

    /**
     * The codes in place, read back as a tensor core reads them: 0 where nothing is kept.
     *
     * @return signed [features, columns]
     */
    public byte[] unpack() {
        byte[] signed = new byte[Math.multiplyExact(features, columns)];
        for (int lane = 0; lane < LANES; lane++) {
            for (int register = 0; register < REGISTERS; register++) {
                int row = lane / 4 + 8 * (register & 1);
                for (int part = 0; part < 2; part++) {
                    int m = 2 * (lane % 4) + 8 * (register >> 1) + part;
                    unpackChunks(signed, row, m, lane * REGISTERS + register, 16 * part);
                }
            }
        }
        return signed;
    }

    /** Chunk m of one row of all blocks. */
    private void unpackChunks(byte[] signed, int row, int m, int word, int shift) {
        int steps = steps();
        for (int block = 0; block < blocks(features, columns); block++) {
            int feature = block / steps * BLOCK_FEATURES + row;
            int column = block % steps * STEP + transposed(m) * CHUNK;
            int bits = codes.getAtIndex(WORD, (long) block * LANES * REGISTERS + word) >> shift;
            int pairs = kept.getAtIndex(WORD, (long) block * LANES + keptLane(row, m / 8)) >> 4 * (m % 8);
            for (int i = 0; i < 4; i++) {
                int pair = pairs >> 2 * (i / 2) & 3;
                int c = column + 2 * pair + i % 2;
                if (feature < features && c < columns) {
                    signed[feature * columns + c] = (byte) (bits << 28 - 4 * i >> 28);
                }
            }
        }
    }

    /** One row of the canonical layout, by chunks; zeros after its end. */
    private static final class Row {
        static final Row ZEROS = new Row(MemorySegment.NULL, MemorySegment.NULL, 0, -1);

        private final MemorySegment codes;
        private final MemorySegment index;
        private final int chunks;
        private final int row;

        Row(PackedMatrix matrix, int row) {
            this(matrix.rowCodes(row), matrix.rowIndex(row), Math.ceilDiv(matrix.cols(), CHUNK), row);
        }

        private Row(MemorySegment codes, MemorySegment index, int chunks, int row) {
            this.codes = codes;
            this.index = index;
            this.chunks = chunks;
            this.row = row;
        }

        /** Four codes in 16 bits. */
        int codes(int chunk) {
            return chunk < chunks
                    ? Short.toUnsignedInt(
                            codes.get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 2L * chunk))
                    : 0;
        }

        /** Which pairs they are. */
        int kept(int chunk) {
            if (chunk >= chunks) {
                return FIRST_PAIRS;
            }
            int pairs = index.get(ValueLayout.JAVA_BYTE, chunk / 2) >> chunk % 2 * 4 & 15;
            if ((pairs & 3) >= pairs >> 2) {
                throw new ObrException("row " + row + " keeps pairs " + (pairs & 3) + " and " + (pairs >> 2)
                        + " of columns " + chunk * CHUNK + " to " + (chunk * CHUNK + CHUNK - 1)
                        + ", but two ascending ones are expected; the file is damaged: compress the model again");
            }
            return pairs;
        }
    }
}
