package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.Operand.Register;
import dev.obr.kernels.gpu.ComputeCapability;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A module as written.
 *
 * @param variables .global and .const ones
 * @param functions entries and others, by name, in order
 */
record ParsedModule(
        Source source,
        String version,
        ComputeCapability target,
        List<Variable> variables,
        Map<String, Function> functions) {
    /**
     * A function.
     *
     * @param results of a function that is no entry
     * @param items nothing where it is only declared
     * @param maxThreads of a block, 1024 if it does not say
     * @param line where it begins
     */
    record Function(
            String name,
            boolean entry,
            List<Variable> results,
            List<Variable> parameters,
            @Nullable List<Item> items,
            int maxThreads,
            int line) {}

    /** Either a label or an instruction. */
    sealed interface Item {}

    record LabelItem(Scope.Label label) implements Item {}

    record Statement(int line, String text, @Nullable Guard guard, String opcode, List<Operand> operands, Scope scope)
            implements Item {}

    /** As in @!%p1. */
    record Guard(Register predicate, boolean negated) {}
}
