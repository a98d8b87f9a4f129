package dev.obr.kernels.emulator;

import java.util.Random;

/** Operands of test programs. */
final class Numbers {
    private Numbers() {}

    static int[] ints(int count, int from, int below, long seed) {
        return new Random(seed).ints(count, from, below).toArray();
    }

    /** Whole numbers, whose sums are exact in any order. */
    static float[] wholeFloats(int count, int most, long seed) {
        int[] values = ints(count, -most, most + 1, seed);
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
            floats[i] = values[i];
        }
        return floats;
    }

    static float[] floats(int count, float from, float to, long seed) {
        Random random = new Random(seed);
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
            floats[i] = random.nextFloat(from, to);
        }
        return floats;
    }
}
