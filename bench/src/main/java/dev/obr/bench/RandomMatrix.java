package dev.obr.bench;

import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import java.util.Arrays;
import java.util.Random;

/** Packed weights with random codes and masks. */
public final class RandomMatrix {
    private RandomMatrix() {}

    /**
     * A weight on a pattern.
     *
     * @param step of every output channel's codes
     * @param seed equal seeds give equal weights of one shape
     */
    public static PackedMatrix packed(Pattern masks, int bits, int rows, int cols, float step, long seed) {
        Random random = new Random(seed + rows * 31L + cols);
        boolean[] mask = mask(masks, rows, cols, random);
        byte[] codes = new byte[rows * cols];
        random.nextBytes(codes);
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) (masks == Pattern.DENSE || mask[i] ? codes[i] >> 8 - bits : 0);
        }
        float[] scales = new float[rows];
        Arrays.fill(scales, step);
        return Packing.pack(masks, bits, rows, cols, codes, mask, scales);
    }

    /** Keeps half of each group, or of each row where the pattern counts none. */
    private static boolean[] mask(Pattern pattern, int rows, int cols, Random random) {
        boolean[] mask = new boolean[pattern == Pattern.DENSE ? 0 : rows * cols];
        int unit = pattern.unit();
        int group = pattern.grouped() ? pattern.group() : cols;
        for (int start = 0; start < mask.length; start += group) {
            int left = group / unit;
            int kept = left / 2;
            for (int c = start; c < start + group; c += unit, left--) {
                boolean keep = random.nextInt(left) < kept;
                kept -= keep ? 1 : 0;
                Arrays.fill(mask, c, c + unit, keep);
            }
        }
        return mask;
    }
}
