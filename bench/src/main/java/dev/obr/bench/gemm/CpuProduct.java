package dev.obr.bench.gemm;

import java.lang.foreign.Arena;

/** One kind of weights with what multiplies them on the CPU. */
interface CpuProduct {
    /** It with activations and room for results. */
    interface Ready {
        /** Multiplies once, by another copy of the weights each turn. */
        void multiply(int turn);

        /** What the last turn computed. */
        float at(int token, int feature);
    }

    /** What tables call it. */
    String name();

    /** Whether others are compared with it: a dense product of floats. */
    boolean reference();

    /** Of one copy. */
    long weightBytes();

    /** Of the activations and results of so many tokens. */
    long activationBytes(int tokens);

    /** Makes activations and room for results, as long as the arena lives. */
    Ready with(int tokens, Arena arena);

    /** More would only be wanted of weights that are too small for any layer. */
    int MOST_COPIES = 256;

    /** Copies that come to so many bytes, the last one not by half. */
    static int copies(long bytes, long rotatedBytes) {
        return (int) Math.min(MOST_COPIES, Math.ceilDiv(rotatedBytes, bytes));
    }
}
