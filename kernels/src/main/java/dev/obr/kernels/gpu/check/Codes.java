package dev.obr.kernels.gpu.check;

import dev.obr.kernels.gpu.linear.TokenLayout;
import java.lang.foreign.MemorySegment;

/**
 * Codes and scales of tokens, as a quantiser gives them.
 *
 * @param rows in the layout
 * @param scales float32 [tokens]
 */
record Codes(TokenLayout layout, int tokens, int columns, MemorySegment rows, MemorySegment scales) {
    /** Zeros. */
    static Codes of(TokenLayout layout, int tokens, int columns) {
        return new Codes(
                layout,
                tokens,
                columns,
                MemorySegment.ofArray(new byte[tokens * layout.rowBytes(columns)]),
                MemorySegment.ofArray(new float[tokens]));
    }

    long row(int token) {
        return (long) token * layout.rowBytes(columns);
    }

    /** Equal scales, and rows equal in every byte: those behind the columns are zeros. */
    Comparison compare(MemorySegment foundRows, MemorySegment foundScales) {
        Comparison scaled = Comparison.equal(
                tokens,
                i -> foundScales.getAtIndex(DeviceData.FLOAT, i),
                i -> scales.getAtIndex(DeviceData.FLOAT, i),
                i -> "the scale of token " + i);
        int whole = layout.rowBytes(columns) * 8 / layout.bits();
        Comparison coded = Comparison.equal(
                tokens * whole,
                i -> layout.get(foundRows, row(i / whole), i % whole),
                i -> layout.get(rows, row(i / whole), i % whole),
                i -> "the code of token " + i / whole + ", column " + i % whole);
        return scaled.and(coded).and(DeviceData.guard(foundRows)).and(DeviceData.guard(foundScales));
    }
}
