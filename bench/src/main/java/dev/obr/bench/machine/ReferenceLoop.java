package dev.obr.bench.machine;

import java.util.function.DoubleSupplier;

/** Arithmetic that needs no memory and always takes as long on a quiet core: some milliseconds. */
final class ReferenceLoop implements DoubleSupplier {
    private static final int STEPS = 1 << 21;
    private static final int COMPILES_WITHIN = 20;

    private long state = 1;

    ReferenceLoop() {
        for (int i = 0; i < COMPILES_WITHIN; i++) {
            run();
        }
    }

    /** Seconds of one run. */
    @Override
    public double getAsDouble() {
        long start = System.nanoTime();
        run();
        return (System.nanoTime() - start) / 1e9;
    }

    /** Each step waits for the last one: only the clock and whoever shares the core change how long they take. */
    private void run() {
        long x = state;
        for (int i = 0; i < STEPS; i++) {
            x ^= x << 13;
            x ^= x >>> 7;
            x ^= x << 17;
        }
        if (x == 0) {
            throw new AssertionError("this generator never comes to 0");
        }
        state = x;
    }
}
