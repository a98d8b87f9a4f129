package dev.obr.kernels.emulator;

/** A decoded instruction: its operands are places in the register files, its modifiers have been looked at. Shared by all warps of all launches, so that it holds no state. */
abstract class Operation {
    /** Which lanes of the warp must have come to the instruction before it runs. */
    enum Convergence {
        /** It is each lane's own matter. */
        NONE,
        /** All that have not exited. */
        LIVE,
        /** All 32. */
        FULL,
        /** Those that the member mask names and that have not exited. */
        MEMBERS
    }

    /** @param mask the lanes that run it, at least one */
    abstract void run(Warp warp, int mask);

    Convergence convergence() {
        return Convergence.NONE;
    }

    /** Where the member mask lies, for {@link Convergence#MEMBERS}. */
    int members() {
        throw new IllegalStateException();
    }
}
