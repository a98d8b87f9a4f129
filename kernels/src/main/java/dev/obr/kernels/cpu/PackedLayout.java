package dev.obr.kernels.cpu;

import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.MemorySegment;

/**
 * A packed weight as some {@link PackedKernels} multiply it; made and understood by these alone.
 *
 * @param weight what is laid out: pattern, shape, and the file's layout
 * @param memory codes and index in the kernels' layout
 * @param sums int [rows]: what the kernels subtract from each row's sums
 * @param scales float [rows], aligned
 */
public record PackedLayout(PackedMatrix weight, MemorySegment memory, MemorySegment sums, MemorySegment scales) {
    public Pattern pattern() {
        return weight.pattern();
    }

    /** Output channels. */
    public int rows() {
        return weight.rows();
    }

    /** Input channels. */
    public int cols() {
        return weight.cols();
    }
}
