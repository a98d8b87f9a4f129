package dev.obr.kernels.emulator;

/**
 * An operation in its place.
 *
 * @param opcode with all modifiers
 * @param guard the predicate that it runs under, -1 without one
 */
record Instruction(
        int line,
        String text,
        String opcode,
        int guard,
        boolean negated,
        Operation operation,
        Operation.Convergence convergence) {}
