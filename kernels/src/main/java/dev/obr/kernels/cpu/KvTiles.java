package dev.obr.kernels.cpu;

import dev.obr.kernels.quantize.KvQuantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * How codes of one KV head lie in memory: in tiles of 16 positions, so that kernels meet the same code of many positions (keys) or components (values) in one vector.
 *
 * <p>A row of {@link KvQuantizer} is its codes, then one word of scale and zero. Words have 32 bits and hold {@code per = 32 / bits} codes, the first in the lowest bits:
 *
 * <pre>
 * keys   word j of a row, for each position             values   a component's codes of positions per · r .., for each component
 *
 *    w0 | p0 p1 .. p15 |                                   r0 | d0 d1 .. |      16 / per rows of headDim words
 *    w1 | p0 p1 .. p15 |   ceil(headDim / per) rows        r1 | d0 d1 .. |
 *    ..                                                    ..
 *       | p0 p1 .. p15 |   scale and zero                     | p0 p1 .. p15 |  scale and zero, where those of keys are
 * </pre>
 *
 * @param quantizer what the codes stand for
 */
public record KvTiles(KvQuantizer quantizer) {
    /** Positions of a tile. */
    public static final int TILE = 16;

    /** Positions that attention computes together: {@code 32767 · 255 · 256 < 2^31}, so that its sums are exact. */
    public static final int BLOCK = 256;

    private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Bits of a code: 4 or 8. */
    public int bits() {
        return quantizer.bits();
    }

    /** Components of a head. */
    public int headDim() {
        return quantizer.headDim();
    }

    /** Bytes of one head's tiles that hold so many positions. */
    public long bytes(int positions) {
        return (positions + TILE - 1L) / TILE * tileBytes();
    }

    private long tileBytes() {
        return 4L * TILE * (keyWords() + 1);
    }

    private int keyWords() {
        return (headDim() * bits() + 31) / 32;
    }

    /** Lays a row of {@link KvQuantizer} at its position among one head's tiles. */
    void put(MemorySegment row, MemorySegment tiles, boolean values, int position) {
        tiles.set(WORD, lastWord(position), row.get(WORD, quantizer.byteSize() - 4));
        for (int i = 0; i < headDim(); i++) {
            long word = word(values, position, i);
            int shift = shift(values, position, i);
            int others = tiles.get(WORD, word) & ~((1 << bits()) - 1 << shift);
            tiles.set(WORD, word, others | quantizer.code(row, 0, i) << shift);
        }
    }

    /** Takes the row of {@link KvQuantizer} at a position out of one head's tiles. */
    void get(MemorySegment tiles, boolean values, int position, MemorySegment row) {
        row.fill((byte) 0);
        row.set(WORD, quantizer.byteSize() - 4, tiles.get(WORD, lastWord(position)));
        for (int i = 0; i < headDim(); i++) {
            int code = tiles.get(WORD, word(values, position, i)) >>> shift(values, position, i) & (1 << bits()) - 1;
            long at = (long) i * bits() / 8;
            int pair = row.get(ValueLayout.JAVA_BYTE, at) | code << i * bits() % 8;
            row.set(ValueLayout.JAVA_BYTE, at, (byte) pair);
        }
    }

    /** A place for one row. */
    MemorySegment newRow() {
        return MemorySegment.ofArray(new byte[quantizer.byteSize()]);
    }

    private long word(boolean values, int position, int component) {
        int per = 32 / bits();
        int place = position % TILE;
        int index = values ? place / per * headDim() + component : component / per * TILE + place;
        return position / TILE * tileBytes() + 4L * index;
    }

    private int shift(boolean values, int position, int component) {
        return (values ? position : component) * bits() % 32;
    }

    private long lastWord(int position) {
        return position / TILE * tileBytes() + 4L * (keyWords() * TILE + position % TILE);
    }
}
