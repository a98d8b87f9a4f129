package dev.obr.kernels.emulator;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** An operand as written, its names resolved. */
sealed interface Operand {
    /** A register that the function declares. Two declarations of one name in two scopes are two registers. */
    record Register(String name, PtxType type, int id) {}

    /** @param negated as in !%p1 */
    record RegisterOperand(Register register, boolean negated) implements Operand {}

    /**
     * A literal.
     *
     * @param bits of the integer, or of the float
     * @param form of the literal
     */
    record Constant(long bits, Form form) implements Operand {
        enum Form {
            INTEGER,
            F32,
            F64
        }
    }

    /** The address of a variable. */
    record Symbol(Variable variable, long offset) implements Operand {}

    /** As in %tid.x. */
    record Special(String name) implements Operand {}

    /** As in {%r1, %r2}. */
    record Vector(List<Operand> elements) implements Operand {}

    /** As in [%rd1+16], [name+16] or [16]. */
    record Address(@Nullable Register base, @Nullable Variable symbol, long offset) implements Operand {}

    /** As in %p1|%p2, or %r1|%p1. */
    record Pair(Operand first, Operand second) implements Operand {}

    /** As in (param0, param1). */
    record Arguments(List<Operand> elements) implements Operand {}

    /** A name that is no register and no variable: a label or a function. */
    record Name(String name, Scope scope) implements Operand {}

    /** The destination _ that drops its value. */
    record Sink() implements Operand {}
}
