package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.KernelBuilder.Frame;
import dev.obr.kernels.emulator.KernelBuilder.Target;
import dev.obr.kernels.emulator.Operand.Address;
import dev.obr.kernels.emulator.Operand.Constant;
import dev.obr.kernels.emulator.Operand.Name;
import dev.obr.kernels.emulator.Operand.Pair;
import dev.obr.kernels.emulator.Operand.Register;
import dev.obr.kernels.emulator.Operand.RegisterOperand;
import dev.obr.kernels.emulator.Operand.Sink;
import dev.obr.kernels.emulator.Operand.Special;
import dev.obr.kernels.emulator.Operand.Symbol;
import dev.obr.kernels.emulator.Operand.Vector;
import dev.obr.kernels.emulator.ParsedModule.Statement;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The operands of one statement as places in the register files: registers, constants and special registers alike have one, so that operations need not tell them apart. */
final class Operands {
    /**
     * A place that may be in either file.
     *
     * @param bits of the register, or of the type that it was asked for where it is none
     */
    record Place(int at, boolean wide, int bits) {}

    /** A predicate that is read. */
    record PredicatePlace(int at, boolean negated) {
        /** One bit a lane. */
        int of(Warp warp) {
            return negated ? ~warp.predicates[at] : warp.predicates[at];
        }
    }

    /** @param symbol the variable that an address names, if it names one */
    record AddressPlace(
            int base, boolean wide, long offset, @Nullable Variable symbol) {
        static final int NO_BASE = -1;
    }

    private final Statement statement;
    private final Frame frame;
    private final KernelBuilder builder;

    Operands(Statement statement, Frame frame, KernelBuilder builder) {
        this.statement = statement;
        this.frame = frame;
        this.builder = builder;
    }

    int count() {
        return statement.operands().size();
    }

    void expect(int count) {
        if (count() != count) {
            throw new DecodeFault("expected " + count + " operands, not " + count());
        }
    }

    Operand at(int i) {
        if (i >= count()) {
            throw new DecodeFault("too few operands");
        }
        return statement.operands().get(i);
    }

    /** The elements of {a, b}; one element for a bare operand. */
    static List<Operand> elements(Operand operand) {
        return operand instanceof Vector vector ? vector.elements() : List.of(operand);
    }

    /** A source of up to 32 bits. */
    int word(int i, PtxType type) {
        return word(at(i), type);
    }

    int word(Operand operand, PtxType type) {
        return place(operand, type, type.bits()).at;
    }

    /** A source of 64 bits. */
    int wide(int i, PtxType type) {
        return place(at(i), type, type.bits()).at;
    }

    /** A source in the file of its type. */
    int source(int i, PtxType type) {
        return place(at(i), type, type.bits()).at;
    }

    int source(Operand operand, PtxType type) {
        return place(operand, type, type.bits()).at;
    }

    /** A source that may be wider than its type: its low bits count. */
    Place wideningSource(Operand operand, PtxType type) {
        return place(operand, type, 0);
    }

    private Place place(Operand operand, PtxType type, int bits) {
        return switch (operand) {
            case RegisterOperand register -> register(register, type, bits);
            case Constant constant -> constant(Immediates.bits(constant, type), type);
            case Symbol symbol -> constant(builder.address(symbol.variable(), frame) + symbol.offset(), type);
            case Special special -> special(special, type);
            default -> throw new DecodeFault("expected a register or a number");
        };
    }

    private Place register(RegisterOperand operand, PtxType type, int bits) {
        Register register = operand.register();
        if (register.type() == PtxType.PRED || operand.negated()) {
            throw new DecodeFault(register.name() + " is a predicate where a value is needed");
        }
        int have = register.type().bits();
        if (bits != 0 && have != bits) {
            throw new DecodeFault(register.name() + " has " + have + " bits where " + bits + " are needed");
        }
        if (have < type.bits()) {
            throw new DecodeFault(register.name() + " has " + have + " bits, fewer than " + type);
        }
        return new Place(builder.registerPlace(register, frame), register.type().wide(), have);
    }

    private Place constant(long value, PtxType type) {
        if (type.bits() > 64) {
            throw new DecodeFault("there are no constants of " + type);
        }
        return type.wide()
                ? new Place(builder.registers().longConstant(value), true, 64)
                : new Place(builder.registers().wordConstant((int) value), false, type.bits());
    }

    private Place special(Special special, PtxType type) {
        SpecialRegister register = SpecialRegister.of(special.name());
        if (register == null || register.clock() || register.wide() || type.bits() != 32) {
            throw new DecodeFault(special.name() + " cannot be read here");
        }
        return new Place(builder.registers().special(register), false, 32);
    }

    /** A destination in the file of its type. */
    int out(int i, PtxType type) {
        return out(at(i), type);
    }

    int out(Operand operand, PtxType type) {
        if (operand instanceof Sink) {
            return builder.registers().newPlace(type.wide());
        }
        if (!(operand instanceof RegisterOperand register)) {
            throw new DecodeFault("expected a register to write to");
        }
        return register(register, type, type.bits()).at;
    }

    /** A destination that may be wider than its type. */
    Place wideningOut(Operand operand, PtxType type) {
        if (operand instanceof Sink) {
            return new Place(builder.registers().newPlace(type.wide()), type.wide(), type.bits());
        }
        if (!(operand instanceof RegisterOperand register)) {
            throw new DecodeFault("expected a register to write to");
        }
        return register(register, type, 0);
    }

    PredicatePlace predicate(int i) {
        return predicate(at(i));
    }

    PredicatePlace predicate(Operand operand) {
        if (operand instanceof Constant constant && constant.form() == Constant.Form.INTEGER) {
            return new PredicatePlace(builder.registers().predicateConstant(constant.bits() != 0), false);
        }
        if (operand instanceof RegisterOperand register && register.register().type() == PtxType.PRED) {
            return new PredicatePlace(builder.registerPlace(register.register(), frame), register.negated());
        }
        throw new DecodeFault("expected a predicate");
    }

    int predicateOut(Operand operand) {
        if (operand instanceof Sink) {
            return builder.registers().newPredicate();
        }
        if (operand instanceof RegisterOperand register
                && register.register().type() == PtxType.PRED
                && !register.negated()) {
            return builder.registerPlace(register.register(), frame);
        }
        throw new DecodeFault("expected a predicate to write to");
    }

    /** The first of a|b, or the operand itself. */
    Operand first(int i) {
        return at(i) instanceof Pair pair ? pair.first() : at(i);
    }

    /** The second of a|b, if there is one. */
    @Nullable
    Operand second(int i) {
        return at(i) instanceof Pair pair ? pair.second() : null;
    }

    int wordConstant(int value) {
        return builder.registers().wordConstant(value);
    }

    /** A number that must stand in the text. */
    long literal(int i) {
        if (at(i) instanceof Constant constant && constant.form() == Constant.Form.INTEGER) {
            return constant.bits();
        }
        throw new DecodeFault("expected a number");
    }

    AddressPlace address(int i) {
        if (!(at(i) instanceof Address address)) {
            throw new DecodeFault("expected an address in brackets");
        }
        if (address.symbol() != null) {
            long offset = builder.address(address.symbol(), frame) + address.offset();
            return new AddressPlace(AddressPlace.NO_BASE, true, offset, address.symbol());
        }
        Register base = address.base();
        if (base == null) {
            return new AddressPlace(AddressPlace.NO_BASE, true, address.offset(), null);
        }
        if (base.type() == PtxType.PRED
                || base.type().bits() < 32
                || base.type().isFloat()) {
            throw new DecodeFault(base.name() + " holds no address");
        }
        return new AddressPlace(builder.registerPlace(base, frame), base.type().wide(), address.offset(), null);
    }

    /** Whether the variable is a parameter of the kernel, and not one of a call. */
    boolean kernelParameter(Variable variable) {
        return builder.kernelParameter(variable);
    }

    /** A label. */
    Target target(int i) {
        if (at(i) instanceof Name name) {
            return frame.target(name.scope().label(name.name()));
        }
        throw new DecodeFault("expected a label");
    }

    /** The labels of an indexed branch. */
    List<Target> targets(int i) {
        if (at(i) instanceof Name name) {
            return name.scope().targets(name.name()).stream().map(frame::target).toList();
        }
        throw new DecodeFault("expected the name of a list of labels");
    }

    /** Where a return goes; nothing where it ends the lane. */
    @Nullable
    Target end() {
        return frame.end();
    }
}
