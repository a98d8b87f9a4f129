package dev.obr.kernels.emulator;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A named piece of memory.
 *
 * @param align of its address
 * @param bytes 0 where the launch decides
 * @param initial leading bytes; the rest is zero
 * @param fixups addresses that lie in the initial bytes
 */
record Variable(
        String name, Space space, PtxType type, int align, int bytes, byte @Nullable [] initial, List<Fixup> fixups) {
    enum Space {
        GLOBAL,
        CONST,
        SHARED,
        LOCAL,
        PARAM
    }

    /** At a byte of the initial value lies the address of another variable. */
    record Fixup(int at, Variable target, long offset) {}

    /** Identity: two variables of one name may live in two scopes. */
    @Override
    public boolean equals(@Nullable Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
