package dev.obr.compressor.random;

/** CPython's {@code random} after {@code random.seed(seed)}, as far as whole numbers go. */
public final class PythonRandom {
    private final MersenneTwister twister;

    /** @param seed its sign is ignored, as CPython does */
    public PythonRandom(long seed) {
        long magnitude = Math.abs(seed);
        int high = (int) (magnitude >>> 32);
        twister = MersenneTwister.keyed(high == 0 ? new int[] {(int) magnitude} : new int[] {(int) magnitude, high});
    }

    /**
     * {@code random.randint(0, bound - 1)}.
     *
     * @param bound at least 1
     */
    public int below(int bound) {
        if (bound < 1) {
            throw new IllegalArgumentException("there is no number from 0 below " + bound);
        }
        int bits = Integer.SIZE - Integer.numberOfLeadingZeros(bound);
        int drawn = twister.nextInt() >>> Integer.SIZE - bits;
        while (drawn >= bound) {
            drawn = twister.nextInt() >>> Integer.SIZE - bits;
        }
        return drawn;
    }
}
