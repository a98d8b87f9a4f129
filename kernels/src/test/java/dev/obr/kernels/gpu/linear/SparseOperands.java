package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import java.util.Random;

/** Random operands of a sparse product. */
final class SparseOperands {
    private SparseOperands() {}

    /**
     * A weight on 4:8p; one row of eight is 0, and so are some groups and kept pairs.
     *
     * @param range codes are in -range .. range - 1
     */
    static PackedMatrix weight(int features, int columns, int range, Random random) {
        byte[] codes = new byte[features * columns];
        boolean[] mask = new boolean[features * columns];
        float[] scales = new float[features];
        for (int row = 0; row < features; row++) {
            scales[row] = (random.nextFloat() + 0.5f) * (random.nextBoolean() ? 1 : -1) / 64;
            boolean zeros = random.nextInt(8) == 0;
            for (int group = 0; group < columns; group += 8) {
                int first = random.nextInt(4);
                int second = (first + 1 + random.nextInt(3)) % 4;
                for (int c = group; c < Math.min(columns, group + 8); c++) {
                    int pair = (c - group) / 2;
                    if (!zeros && (pair == first || pair == second)) {
                        mask[row * columns + c] = true;
                        codes[row * columns + c] = (byte) (random.nextInt(2 * range) - range);
                    }
                }
            }
        }
        return Packing.pack(Pattern.PAIRS_4_OF_8, 4, features, columns, codes, mask, scales);
    }
}
