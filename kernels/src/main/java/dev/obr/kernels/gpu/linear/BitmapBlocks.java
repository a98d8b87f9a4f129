package dev.obr.kernels.gpu.linear;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Dense blocks without their zeros: what {@code gemm_bitmap_*} multiply, whatever the mask.
 *
 * <pre>
 *   block   | 32 lanes x 2 words of bits, 256 bytes | group 0: the codes of lane 0, lane 1, .. lane 31 | group 1 | .. | group 7 | 8 zero bytes, zeros up to a multiple of 16 |
 *   starts  uint32 [blocks + 1]: where each block begins, in 16 bytes, and where the last one ends
 *
 *   a lane's dense block: 8 registers of 8 nibbles, n = register + 4 half       bit 4 n + i of word p: nibble 2 i + p of register n is not 0       group j: byte j % 4 of word j / 4
 * </pre>
 *
 * <p>Each code takes 4 bits, those of a group's lanes follow each other without a gap in the order of the bits.
 */
record BitmapBlocks(MemorySegment blocks, MemorySegment starts) {
    private static final int DENSE_BYTES = 1024;
    private static final int LANES = 32;
    private static final int WORDS = 2; // of bits, a lane
    private static final int GROUPS = 8;
    private static final int MASK_BYTES = LANES * WORDS * Integer.BYTES;
    private static final int UNIT = 16; // bytes
    private static final int SLACK = 8; // zero bytes: a lane without codes reads the two words after the last one

    private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Takes the zeros out of dense blocks. */
    static BitmapBlocks of(MemorySegment dense, Arena arena) {
        long count = dense.byteSize() / DENSE_BYTES;
        MemorySegment starts = arena.allocate((count + 1) * Integer.BYTES, UNIT);
        for (long block = 0; block < count; block++) {
            int codes = 0;
            for (int at = 0; at < DENSE_BYTES; at++) {
                int two = dense.get(ValueLayout.JAVA_BYTE, block * DENSE_BYTES + at);
                codes += ((two & 0x0f) == 0 ? 0 : 1) + ((two & 0xf0) == 0 ? 0 : 1);
            }
            int bytes = MASK_BYTES + Math.ceilDiv(codes, 2) + SLACK;
            int next = Math.addExact(starts.getAtIndex(WORD, block), Math.ceilDiv(bytes, UNIT));
            starts.setAtIndex(WORD, block + 1, next);
        }
        MemorySegment blocks = arena.allocate((long) starts.getAtIndex(WORD, count) * UNIT, UNIT);
        for (long block = 0; block < count; block++) {
            long from = (long) starts.getAtIndex(WORD, block) * UNIT;
            compress(dense.asSlice(block * DENSE_BYTES, DENSE_BYTES), blocks.asSlice(from));
        }
        return new BitmapBlocks(blocks, starts);
    }

    private static void compress(MemorySegment dense, MemorySegment block) {
        int next = 0;
        for (int group = 0; group < GROUPS; group++) {
            for (int lane = 0; lane < LANES; lane++) {
                for (int bit = 0; bit < 8; bit++) {
                    int code = dense.get(ValueLayout.JAVA_BYTE, densePlace(lane, group, bit)) >> denseShift(group) & 15;
                    if (code != 0) {
                        add(block, maskPlace(lane, group), 1 << bit);
                        add(block, MASK_BYTES + next / 2, code << next % 2 * 4);
                        next++;
                    }
                }
            }
        }
    }

    private static void add(MemorySegment block, long at, int bits) {
        block.set(ValueLayout.JAVA_BYTE, at, (byte) (block.get(ValueLayout.JAVA_BYTE, at) | bits));
    }

    /** The dense blocks again. */
    MemorySegment dense(Arena arena) {
        long count = starts.byteSize() / Integer.BYTES - 1;
        MemorySegment dense = arena.allocate(count * DENSE_BYTES, UNIT);
        for (long block = 0; block < count; block++) {
            MemorySegment from = blocks.asSlice((long) starts.getAtIndex(WORD, block) * UNIT);
            expand(from, dense.asSlice(block * DENSE_BYTES, DENSE_BYTES));
        }
        return dense;
    }

    private static void expand(MemorySegment block, MemorySegment dense) {
        int next = 0;
        for (int group = 0; group < GROUPS; group++) {
            for (int lane = 0; lane < LANES; lane++) {
                int mask = block.get(ValueLayout.JAVA_BYTE, maskPlace(lane, group));
                for (int bit = 0; bit < 8; bit++) {
                    if ((mask >> bit & 1) == 1) {
                        int code = block.get(ValueLayout.JAVA_BYTE, MASK_BYTES + next / 2) >> next % 2 * 4 & 15;
                        add(dense, densePlace(lane, group, bit), code << denseShift(group));
                        next++;
                    }
                }
            }
        }
    }

    private static int maskPlace(int lane, int group) {
        return lane * WORDS * Integer.BYTES + group;
    }

    /** The byte of a dense block that holds the code of a bit: byte i of register n, the registers of half h 512 bytes behind. */
    private static int densePlace(int lane, int group, int bit) {
        int n = 2 * (group % 4) + bit / 4;
        return n / 4 * (DENSE_BYTES / 2) + lane * 16 + n % 4 * 4 + bit % 4;
    }

    /** Even nibbles are the low ones. */
    private static int denseShift(int group) {
        return group / 4 * 4;
    }
}
