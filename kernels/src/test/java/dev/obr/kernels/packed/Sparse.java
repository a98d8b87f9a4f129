package dev.obr.kernels.packed;

import java.util.Random;

/**
 * A random compressed matrix as a compressor hands it over.
 *
 * @param codes [rows, cols], 0 outside the mask and here and there inside
 * @param mask [rows, cols]
 * @param scales [rows]
 */
record Sparse(Pattern pattern, int bits, int rows, int cols, byte[] codes, boolean[] mask, float[] scales) {
    /** @param density share of entries that the unstructured pattern keeps */
    static Sparse random(Pattern pattern, int bits, int rows, int cols, double density, Random random) {
        byte[] codes = new byte[rows * cols];
        boolean[] mask = new boolean[rows * cols];
        float[] scales = new float[rows];
        int limit = 1 << bits - 1;
        for (int row = 0; row < rows; row++) {
            boolean zeros = random.nextInt(8) == 0;
            scales[row] = (random.nextFloat() + 1e-6f) * (random.nextBoolean() ? 1 : -1);
            for (int start = 0; start < cols; start += pattern.group()) {
                boolean[] group = group(pattern, density, random);
                for (int c = start; c < Math.min(cols, start + pattern.group()); c++) {
                    if (!zeros && group[c - start]) {
                        mask[row * cols + c] = true;
                        codes[row * cols + c] = (byte) (random.nextInt(2 * limit) - limit);
                    }
                }
            }
        }
        return new Sparse(pattern, bits, rows, cols, codes, mask, scales);
    }

    /** Which columns of one group are kept: half of its units at random. */
    private static boolean[] group(Pattern pattern, double density, Random random) {
        boolean[] kept = new boolean[pattern.group()];
        if (!pattern.grouped()) {
            kept[0] = pattern == Pattern.DENSE || random.nextDouble() < density;
            return kept;
        }
        int units = pattern.group() / pattern.unit();
        for (int chosen = 0; chosen < units / 2; ) {
            int unit = random.nextInt(units) * pattern.unit();
            if (!kept[unit]) {
                kept[unit] = true;
                kept[unit + pattern.unit() - 1] = true;
                chosen++;
            }
        }
        return kept;
    }

    PackedMatrix pack() {
        return Packing.pack(pattern, bits, rows, cols, codes, mask, scales);
    }
}
