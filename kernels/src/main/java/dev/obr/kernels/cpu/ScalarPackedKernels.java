package dev.obr.kernels.cpu;

import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;

/**
 * The integer kernels in plain Java: the specification. The layout is the file's, the order of activations their own.
 *
 * <p>Bound: taking a row apart, a few nanoseconds a weight.
 */
public final class ScalarPackedKernels implements PackedKernels {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    @Override
    public String instructionSet() {
        return "plain Java";
    }

    @Override
    public PackedLayout allocate(PackedMatrix weight, SegmentAllocator memory) {
        return new PackedLayout(weight, MemorySegment.NULL, MemorySegment.NULL, MemorySegment.NULL);
    }

    @Override
    public void layOut(PackedLayout layout, int from, int to) {}

    @Override
    public long inputBytes(Pattern pattern, int cols) {
        return cols;
    }

    @Override
    public void code(
            Pattern pattern,
            int cols,
            MemorySegment x,
            float scale,
            ActivationQuantizer quantizer,
            MemorySegment input) {
        for (int c = 0; c < cols; c++) {
            input.set(ValueLayout.JAVA_BYTE, c, (byte) quantizer.code(x.getAtIndex(FLOAT, c), scale));
        }
    }

    // W [out,in] · x [tokens,in] -> y [tokens,out]: each row of W is taken apart once and meets every token
    @Override
    public void matmul(
            PackedLayout w,
            int from,
            int to,
            MemorySegment inputs,
            MemorySegment inputScales,
            int tokens,
            MemorySegment y) {
        int in = w.cols();
        byte[] row = new byte[in];
        byte[] x = inputs.asSlice(0, (long) tokens * in).toArray(ValueLayout.JAVA_BYTE);
        for (int r = from; r < to; r++) {
            w.weight().unpackRow(r, row, 0);
            for (int t = 0; t < tokens; t++) {
                int sum = 0;
                for (int c = 0; c < in; c++) {
                    sum += row[c] * x[t * in + c];
                }
                float scale = inputScales.getAtIndex(FLOAT, t) * w.weight().scale(r);
                y.setAtIndex(FLOAT, (long) t * w.rows() + r, sum * scale);
            }
        }
    }
}
