package dev.obr.compressor.quantizer;

import dev.obr.kernels.ObrException;

/**
 * Which values quantised weights may take.
 *
 * <pre>
 * symmetric    scale · code,            code in [-2^(b-1), 2^(b-1) - 1]
 * asymmetric   scale · (code - zero),   code in [0, 2^b - 1]
 * </pre>
 *
 * @param bits 2 to 8
 * @param clipSearch whether the range shrinks to where the error, to the power 2.4, is least; else it is the weights' own
 * @param groupSize columns that share a scale; 0 for all of a row
 */
public record WeightGrid(int bits, boolean symmetric, boolean clipSearch, int groupSize) {
    public WeightGrid {
        if (bits < 2 || bits > 8) {
            throw new ObrException("weights of " + bits + " bits are not supported: use 2 to 8");
        }
        if (groupSize < 0) {
            throw new ObrException(
                    "a group of " + groupSize + " columns is not possible: use 1 or more, or 0 for whole rows");
        }
    }

    /** One scale per row. */
    public static WeightGrid perRow(int bits, boolean symmetric, boolean clipSearch) {
        return new WeightGrid(bits, symmetric, clipSearch, 0);
    }

    /** The least code. */
    public int lowest() {
        return symmetric ? -(1 << (bits - 1)) : 0;
    }

    /** The greatest code, which is also what the range is divided by. */
    public int highest() {
        return symmetric ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
    }
}
