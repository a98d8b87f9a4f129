package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.Operand.Arguments;
import dev.obr.kernels.emulator.Operand.Name;
import dev.obr.kernels.emulator.Operand.Register;
import dev.obr.kernels.emulator.Operand.Symbol;
import dev.obr.kernels.emulator.ParsedModule.Function;
import dev.obr.kernels.emulator.ParsedModule.Item;
import dev.obr.kernels.emulator.ParsedModule.LabelItem;
import dev.obr.kernels.emulator.ParsedModule.Statement;
import dev.obr.kernels.emulator.Variable.Space;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Decodes a kernel: each statement once, with functions decoded anew in place of every call to them, on registers and local memory of their own. Recursion and calls through registers have no
 * such form and are errors.
 */
final class KernelBuilder {
    private static final int MOST_INSTRUCTIONS = 1 << 20;
    private static final int MOST_LOCAL_BYTES = 1 << 19;

    /** Where a branch goes: known once the label has been passed. */
    static final class Target {
        private int pc;

        int pc() {
            return pc;
        }
    }

    /** A function in the place of one call. */
    static final class Frame {
        private final Map<Register, Integer> places = new HashMap<>();
        private final Map<Variable, Long> offsets = new IdentityHashMap<>();
        private final Map<Scope.Label, Target> targets = new IdentityHashMap<>();
        private final @Nullable Target end;

        Frame(@Nullable Target end) {
            this.end = end;
        }

        /** Where a return goes; nothing where it ends the lane. */
        @Nullable
        Target end() {
            return end;
        }

        Target target(Scope.Label label) {
            return targets.computeIfAbsent(label, unused -> new Target());
        }
    }

    private final ParsedModule module;
    private final Function kernel;
    private final ModuleVariables variables;
    private final List<Instruction> instructions = new ArrayList<>();
    private final Deque<String> calls = new ArrayDeque<>();
    private final SharedLayout shared;
    private final RegisterPlaces registers = new RegisterPlaces();
    private final Map<Variable, Integer> parameterOffsets = new IdentityHashMap<>();
    private int localBytes;
    private int parameterBytes;

    private KernelBuilder(ParsedModule module, Function kernel, ModuleVariables variables) {
        this.module = module;
        this.kernel = kernel;
        this.variables = variables;
        this.shared = SharedLayout.of(module, kernel);
    }

    static PtxKernel build(ParsedModule module, Function kernel, ModuleVariables variables) {
        return new KernelBuilder(module, kernel, variables).build();
    }

    private PtxKernel build() {
        List<PtxParameter> parameters = new ArrayList<>();
        for (Variable parameter : kernel.parameters()) {
            parameterBytes = align(parameterBytes, parameter.align());
            parameterOffsets.put(parameter, parameterBytes);
            parameters.add(
                    new PtxParameter(parameter.name(), parameter.type().label(), parameter.bytes(), parameterBytes));
            parameterBytes += parameter.bytes();
        }
        Frame frame = new Frame(null);
        decode(kernel, frame);
        add(kernel.line(), "ret;", "ret", -1, false, new ControlOps.Exit());
        Instruction[] code = instructions.toArray(Instruction[]::new);
        KernelCode decoded = new KernelCode(
                kernel.name(),
                code,
                ControlFlow.ranks(successors(code)),
                registers,
                align(localBytes, 16),
                shared.bytes(),
                shared.dynamicAlignment(),
                parameterBytes,
                variables);
        return new PtxKernel(decoded, parameters, kernel.maxThreads());
    }

    private static int[][] successors(Instruction[] code) {
        int[][] next = new int[code.length][];
        for (int i = 0; i < code.length; i++) {
            Operation operation = code[i].operation();
            List<Target> targets = operation instanceof ControlOps.Transfer transfer ? transfer.targets() : List.of();
            boolean falls =
                    i + 1 < code.length && (!(operation instanceof ControlOps.Transfer) || code[i].guard() >= 0);
            next[i] = new int[targets.size() + (falls ? 1 : 0)];
            for (int t = 0; t < targets.size(); t++) {
                next[i][t] = targets.get(t).pc();
            }
            if (falls) {
                next[i][targets.size()] = i + 1;
            }
        }
        return next;
    }

    private void decode(Function function, Frame frame) {
        if (function.items() == null) {
            throw new DecodeFault(function.name() + " is declared, but has no body");
        }
        if (calls.contains(function.name())) {
            throw new DecodeFault(function.name() + " calls itself, which is not known to the emulator");
        }
        calls.push(function.name());
        for (Item item : function.items()) {
            switch (item) {
                case LabelItem label -> frame.target(label.label()).pc = instructions.size();
                case Statement statement -> {
                    try {
                        decode(statement, frame);
                    } catch (DecodeFault e) {
                        throw module.source().error(statement.line(), e.what());
                    }
                }
            }
        }
        calls.pop();
    }

    private void decode(Statement statement, Frame frame) {
        Opcode opcode = new Opcode(statement.opcode());
        int guard = -1;
        boolean negated = false;
        if (statement.guard() != null) {
            guard = registerPlace(statement.guard().predicate(), frame);
            negated = statement.guard().negated();
        }
        if (opcode.name().equals("call")) {
            call(statement, opcode, frame, guard, negated);
            return;
        }
        Operation operation = Decoder.decode(opcode, new Operands(statement, frame, this));
        opcode.finish();
        add(statement.line(), statement.text(), statement.opcode(), guard, negated, operation);
    }

    private void add(int line, String text, String opcode, int guard, boolean negated, Operation operation) {
        if (instructions.size() >= MOST_INSTRUCTIONS) {
            throw new DecodeFault("the kernel has more than " + MOST_INSTRUCTIONS + " instructions with its calls");
        }
        instructions.add(new Instruction(line, text, opcode, guard, negated, operation, operation.convergence()));
    }

    /** call (result), function, (arguments): parameters of the function are the caller's variables. */
    private void call(Statement statement, Opcode opcode, Frame frame, int guard, boolean negated) {
        opcode.ignore("uni");
        opcode.finish();
        List<Operand> operands = statement.operands();
        int at = !operands.isEmpty() && operands.getFirst() instanceof Arguments ? 1 : 0;
        if (operands.size() <= at || !(operands.get(at) instanceof Name name)) {
            throw new DecodeFault("a call through a register is not known to the emulator");
        }
        Function function = module.functions().get(name.name());
        if (function == null) {
            throw new DecodeFault("no function is called " + name.name());
        }
        if (function.items() == null && function.name().equals("__assertfail")) {
            add(statement.line(), statement.text(), statement.opcode(), guard, negated, new ControlOps.Trap());
            return;
        }
        if (function.entry()) {
            throw new DecodeFault("a kernel cannot be called");
        }
        Target after = new Target();
        if (guard >= 0) {
            add(statement.line(), statement.text(), "bra", guard, !negated, new ControlOps.Branch(after));
        }
        Frame callee = new Frame(after);
        bind(callee, function.results(), at == 1 ? operands.getFirst() : null, frame);
        bind(callee, function.parameters(), operands.size() > at + 1 ? operands.get(at + 1) : null, frame);
        if (operands.size() > at + 2) {
            throw new DecodeFault("a call has a result, a function and arguments");
        }
        decode(function, callee);
        after.pc = instructions.size();
    }

    private void bind(Frame callee, List<Variable> formals, @Nullable Operand actuals, Frame caller) {
        List<Operand> elements = actuals instanceof Arguments arguments ? arguments.elements() : List.of();
        if (elements.size() != formals.size()) {
            throw new DecodeFault("the function takes " + formals.size() + " parameters here, not " + elements.size());
        }
        for (int i = 0; i < formals.size(); i++) {
            if (!(elements.get(i) instanceof Symbol symbol)
                    || symbol.variable().space() != Space.PARAM
                    || parameterOffsets.containsKey(symbol.variable())
                    || symbol.variable().bytes() < formals.get(i).bytes()) {
                throw new DecodeFault("an argument of a call is a variable in .param of its parameter's size");
            }
            callee.offsets.put(formals.get(i), localOffset(symbol.variable(), caller) + symbol.offset());
        }
    }

    /** The place of a register's lane 0, or of a predicate. */
    int registerPlace(Register register, Frame frame) {
        Integer place = frame.places.get(register);
        if (place == null) {
            place = register.type() == PtxType.PRED
                    ? registers.newPredicate()
                    : registers.newPlace(register.type().wide());
            if (register.type() == PtxType.B128) {
                throw new DecodeFault("128-bit registers are not known to the emulator");
            }
            frame.places.put(register, place);
        }
        return place;
    }

    RegisterPlaces registers() {
        return registers;
    }

    /** Whether the variable is a parameter of the kernel itself. */
    boolean kernelParameter(Variable variable) {
        return parameterOffsets.containsKey(variable);
    }

    /** The address of a variable in its own space. */
    long address(Variable variable, Frame frame) {
        return switch (variable.space()) {
            case GLOBAL, CONST -> variables.address(variable);
            case SHARED -> shared.address(variable);
            case LOCAL -> localOffset(variable, frame);
            case PARAM -> {
                Integer offset = parameterOffsets.get(variable);
                yield offset == null ? localOffset(variable, frame) : offset;
            }
        };
    }

    private long localOffset(Variable variable, Frame frame) {
        Long offset = frame.offsets.get(variable);
        if (offset == null) {
            long at = align(localBytes, variable.align());
            if (at + variable.bytes() > MOST_LOCAL_BYTES) {
                throw new DecodeFault("more than " + MOST_LOCAL_BYTES + " bytes of local memory a thread");
            }
            localBytes = (int) at + variable.bytes();
            offset = at;
            frame.offsets.put(variable, offset);
        }
        return offset;
    }

    static int align(int at, int alignment) {
        return at + alignment - 1 & -alignment;
    }
}
