package dev.obr.kernels.cpu;

import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Linear layers of packed weights, multiplied as integers on one CPU thread:
 *
 * <pre>
 *   y[t, r] = float(sum over c of code[r, c] · x[t, c]) · (inputScale[t] · scale[r])        the sum exact
 * </pre>
 *
 * <p>Weights have 4-bit codes, activations 8-bit ones (of which {@code -8..7} is a special case). A weight is laid out once for the instruction set that will multiply it; activations are coded in
 * the order of the layer's pattern. {@link ScalarPackedKernels} is the specification, which all others equal to the bit.
 *
 * <p>Kernels keep no state: one instance serves all threads, which take disjoint ranges of rows.
 */
public interface PackedKernels {
    /** Ranges of rows begin at multiples of this. */
    int GRAIN = 16;

    /** The most columns whose sums 32 bits hold: {@code 8 · 255 · 2^20 < 2^31}. */
    int MOST_COLUMNS = 1 << 20;

    /**
     * The integer kernels of a twin.
     *
     * @param kernels null where it multiplies codes as floats
     * @param reason for a log: {@code integers: AVX2}, or why there are none
     */
    record Choice(@Nullable PackedKernels kernels, String reason) {
        static Choice of(PackedKernels kernels) {
            return new Choice(kernels, "integers: " + kernels.instructionSet());
        }

        static Choice none(String why) {
            return new Choice(null, "integers multiplied as floats: " + why);
        }
    }

    /** The instruction set in use, for people. */
    String instructionSet();

    /** Whether these kernels multiply a weight: one of 4-bit codes and at most {@link #MOST_COLUMNS} columns. */
    static boolean take(PackedMatrix weight) {
        return weight.bits() == 4 && weight.cols() <= MOST_COLUMNS && weight.rows() > 0 && weight.cols() > 0;
    }

    /** Memory for weights that are read as streams; it lives as long as the arena, and is for one thread. */
    default SegmentAllocator weightMemory(Arena arena) {
        return arena;
    }

    /**
     * Room for a weight's layout; {@link #layOut} fills it.
     *
     * @param weight one that {@link #take} accepts and whose index was checked ({@link PackedMatrix#check})
     * @param memory what {@link #weightMemory} gave
     * @throws dev.obr.kernels.ObrException if there is not enough memory
     */
    PackedLayout allocate(PackedMatrix weight, SegmentAllocator memory);

    /** Lays out rows {@code from <= r < to}; {@code from} is a multiple of {@link #GRAIN}, and {@code to} another or the end. */
    void layOut(PackedLayout layout, int from, int to);

    /** Lets the pages of a mapped file leave this process, as nobody reads them again; does nothing for other memory. */
    default void forgetFile(MemorySegment memory) {}

    /** Bytes of one token's activations in the order of a pattern. */
    long inputBytes(Pattern pattern, int cols);

    /**
     * Codes one token's activations and puts them in the order of a pattern.
     *
     * @param x [cols] floats, on the heap or not
     * @param scale the quantiser's for this token ({@link ActivationQuantizer#scale})
     * @param input receives {@link #inputBytes} bytes
     */
    void code(
            Pattern pattern,
            int cols,
            MemorySegment x,
            float scale,
            ActivationQuantizer quantizer,
            MemorySegment input);

    /**
     * Rows {@code from <= r < to} of a linear layer.
     *
     * @param from a multiple of {@link #GRAIN}, as is {@code to}, unless it is the end
     * @param inputs [tokens, inputBytes]
     * @param inputScales [tokens] floats
     * @param y [tokens, rows] floats; only columns {@code from..to} are written
     */
    void matmul(
            PackedLayout w,
            int from,
            int to,
            MemorySegment inputs,
            MemorySegment inputScales,
            int tokens,
            MemorySegment y);
}
