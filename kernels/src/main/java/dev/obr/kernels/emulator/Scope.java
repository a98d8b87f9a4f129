package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.Operand.Register;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The names between two braces. Inner ones hide outer ones, for registers, variables and labels alike. */
final class Scope {
    /** A place in a function. */
    static final class Label {
        private final String name;

        Label(String name) {
            this.name = name;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** Registers %r0 … %r(count - 1). */
    private record Range(PtxType type, int count) {}

    final @Nullable Scope parent;
    private final Map<String, Register> registers = new HashMap<>();
    private final Map<String, Range> ranges = new HashMap<>();
    private final Map<String, Variable> variables = new HashMap<>();
    private final Map<String, Label> labels = new HashMap<>();
    private final Map<String, List<String>> tables = new HashMap<>();
    private final int[] ids;

    Scope(@Nullable Scope parent) {
        this.parent = parent;
        this.ids = parent == null ? new int[1] : parent.ids;
    }

    void declare(String name, PtxType type) {
        if (registers.put(name, new Register(name, type, ids[0]++)) != null) {
            throw new DecodeFault("the register " + name + " is declared twice");
        }
    }

    void declareRange(String prefix, PtxType type, int count) {
        if (ranges.put(prefix, new Range(type, count)) != null) {
            throw new DecodeFault("the registers " + prefix + "<> are declared twice");
        }
    }

    void declare(Variable variable) {
        variables.put(variable.name(), variable);
    }

    Label declareLabel(String name) {
        Label label = new Label(name);
        if (labels.put(name, label) != null) {
            throw new DecodeFault("the label " + name + " is defined twice");
        }
        return label;
    }

    @Nullable
    Register register(String name) {
        for (Scope scope = this; scope != null; scope = scope.parent) {
            Register register = scope.own(name);
            if (register != null) {
                return register;
            }
        }
        return null;
    }

    private @Nullable Register own(String name) {
        Register register = registers.get(name);
        if (register != null || ranges.isEmpty()) {
            return register;
        }
        int digits = name.length();
        while (digits > 0 && Character.isDigit(name.charAt(digits - 1))) {
            digits--;
        }
        Range range = ranges.get(name.substring(0, digits));
        String number = name.substring(digits);
        boolean canonical = number.equals("0") || !(number.isEmpty() || number.startsWith("0"));
        if (range == null || !canonical || number.length() > 9 || Integer.parseInt(number) >= range.count) {
            return null;
        }
        register = new Register(name, range.type, ids[0]++);
        registers.put(name, register);
        return register;
    }

    @Nullable
    Variable variable(String name) {
        for (Scope scope = this; scope != null; scope = scope.parent) {
            Variable variable = scope.variables.get(name);
            if (variable != null) {
                return variable;
            }
        }
        return null;
    }

    /** The label of a name; labels are used before they are defined, so that this is asked once the function has been read. */
    Label label(String name) {
        for (Scope scope = this; scope != null; scope = scope.parent) {
            Label label = scope.labels.get(name);
            if (label != null) {
                return label;
            }
        }
        throw new DecodeFault("nothing is called " + name);
    }

    /** Declares the targets of an indexed branch. */
    void declareTargets(String name, List<String> targets) {
        tables.put(name, targets);
    }

    List<Label> targets(String name) {
        for (Scope scope = this; scope != null; scope = scope.parent) {
            List<String> targets = scope.tables.get(name);
            if (targets != null) {
                return targets.stream().map(scope::label).toList();
            }
        }
        throw new DecodeFault("no branch targets are called " + name);
    }
}
