package dev.obr.kernels.cpu;

import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.Random;

/**
 * A few tiny cases that compiled integer kernels must get right to the bit before they are trusted: each pattern with tails, for one, a few and many tokens, against {@link ScalarPackedKernels}.
 */
final class PackedSelfTest {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
    private static final ActivationQuantizer QUANTIZER = new ActivationQuantizer(8, 1);
    private static final int ROWS = 18;
    private static final int COLS = 72;

    /** The last one is enough for the path of a prefill: 32 tokens at once, and one that is left over. */
    private static final int[] TOKENS = {1, 3, 33};

    private PackedSelfTest() {}

    /** The first case whose result is wrong, with both values; empty if all are right. */
    static Optional<String> firstDifference(PackedKernels candidate) {
        Random random = new Random(1);
        PackedKernels reference = new ScalarPackedKernels();
        for (Pattern pattern : Pattern.values()) {
            PackedMatrix weight = weight(pattern, random);
            for (int tokens : TOKENS) {
                float[][] x = new float[tokens][COLS];
                for (float[] token : x) {
                    for (int c = 0; c < COLS; c++) {
                        token[c] = (float) random.nextGaussian();
                    }
                }
                float[] expected = product(reference, weight, x);
                float[] actual = product(candidate, weight, x);
                for (int i = 0; i < expected.length; i++) {
                    if (actual[i] != expected[i]) {
                        return Optional.of(pattern + " of " + tokens + " tokens gives " + actual[i] + " for "
                                + expected[i] + " at " + i);
                    }
                }
            }
        }
        return Optional.empty();
    }

    /** Random codes; a mask that suits every pattern, another one in each row. */
    private static PackedMatrix weight(Pattern pattern, Random random) {
        byte[] codes = new byte[ROWS * COLS];
        boolean[] mask = new boolean[ROWS * COLS];
        float[] scales = new float[ROWS];
        int unit = pattern.unit();
        for (int r = 0; r < ROWS; r++) {
            scales[r] = random.nextFloat() - 0.5f;
            for (int c = 0; c < COLS; c += 4 * unit) {
                int first = random.nextInt(4);
                int second = (first + 1 + random.nextInt(3)) % 4;
                for (int i = 0; i < 4 * unit && c + i < COLS; i++) {
                    boolean kept = pattern == Pattern.DENSE || i / unit == first || i / unit == second;
                    mask[r * COLS + c + i] = kept;
                    codes[r * COLS + c + i] = (byte) (kept ? random.nextInt(16) - 8 : 0);
                }
            }
        }
        return Packing.pack(pattern, 4, ROWS, COLS, codes, mask, scales);
    }

    /** y [tokens · rows] */
    private static float[] product(PackedKernels kernels, PackedMatrix weight, float[][] x) {
        try (Arena arena = Arena.ofConfined()) {
            PackedLayout layout = kernels.allocate(weight, arena);
            kernels.layOut(layout, 0, ROWS);
            long bytes = kernels.inputBytes(weight.pattern(), COLS);
            MemorySegment inputs = arena.allocate(x.length * bytes, 64);
            MemorySegment scales = arena.allocate(FLOAT, x.length);
            MemorySegment y = arena.allocate(FLOAT, (long) x.length * ROWS);
            for (int t = 0; t < x.length; t++) {
                float scale = QUANTIZER.scale(x[t], 0, COLS);
                kernels.code(
                        weight.pattern(),
                        COLS,
                        MemorySegment.ofArray(x[t]),
                        scale,
                        QUANTIZER,
                        inputs.asSlice(t * bytes, bytes));
                scales.setAtIndex(FLOAT, t, scale);
            }
            kernels.matmul(layout, 0, PackedKernels.GRAIN, inputs, scales, x.length, y);
            kernels.matmul(layout, PackedKernels.GRAIN, ROWS, inputs, scales, x.length, y);
            return y.toArray(FLOAT);
        }
    }
}
