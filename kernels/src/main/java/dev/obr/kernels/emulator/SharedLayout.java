package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.Operand.Name;
import dev.obr.kernels.emulator.Operand.Symbol;
import dev.obr.kernels.emulator.ParsedModule.Function;
import dev.obr.kernels.emulator.ParsedModule.Item;
import dev.obr.kernels.emulator.ParsedModule.Statement;
import dev.obr.kernels.emulator.Variable.Space;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where the shared variables lie that a kernel and the functions which it calls name: static ones from 0 on, in the order of their mention, then the dynamic ones, all at one address.
 */
final class SharedLayout {
    private static final int MOST_BYTES = 232_448;
    private static final int LEAST_DYNAMIC_ALIGNMENT = 16;

    private final Map<Variable, Integer> offsets = new IdentityHashMap<>();
    private int bytes;
    private int dynamicAlignment = LEAST_DYNAMIC_ALIGNMENT;

    private SharedLayout() {}

    static SharedLayout of(ParsedModule module, Function kernel) {
        SharedLayout layout = new SharedLayout();
        Deque<Function> open = new ArrayDeque<>(List.of(kernel));
        Set<String> seen = new HashSet<>();
        while (!open.isEmpty()) {
            Function function = open.pop();
            if (function.items() == null || !seen.add(function.name())) {
                continue;
            }
            for (Item item : function.items()) {
                if (item instanceof Statement statement) {
                    for (Operand operand : statement.operands()) {
                        layout.place(module.source(), statement, operand);
                        if (operand instanceof Name name
                                && module.functions().get(name.name()) instanceof Function called) {
                            open.push(called);
                        }
                    }
                }
            }
        }
        return layout;
    }

    private void place(Source source, Statement statement, Operand operand) {
        Variable variable = operand instanceof Symbol symbol
                ? symbol.variable()
                : operand instanceof Operand.Address address ? address.symbol() : null;
        if (variable == null || variable.space() != Space.SHARED) {
            return;
        }
        if (variable.bytes() == 0) {
            dynamicAlignment = Math.max(dynamicAlignment, variable.align());
        } else if (!offsets.containsKey(variable)) {
            long at = KernelBuilder.align(bytes, variable.align());
            if (at + variable.bytes() > MOST_BYTES) {
                throw source.error(statement.line(), "more than " + MOST_BYTES + " bytes of shared memory");
            }
            offsets.put(variable, (int) at);
            bytes = (int) at + variable.bytes();
        }
    }

    /** Of static variables. */
    int bytes() {
        return bytes;
    }

    /** What the address of dynamic variables is a multiple of. */
    int dynamicAlignment() {
        return dynamicAlignment;
    }

    int address(Variable variable) {
        if (variable.bytes() == 0) {
            return KernelBuilder.align(bytes, dynamicAlignment);
        }
        Integer offset = offsets.get(variable);
        if (offset == null) {
            throw new DecodeFault("the shared variable " + variable.name() + " has no place");
        }
        return offset;
    }
}
