package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.Operand.RegisterOperand;
import dev.obr.kernels.emulator.Operand.Special;
import dev.obr.kernels.emulator.Operand.Symbol;
import dev.obr.kernels.emulator.Operand.Vector;
import dev.obr.kernels.emulator.Operands.PredicatePlace;
import java.util.List;

/** mov, with packing and unpacking of vectors, and conversions between the address spaces. */
final class MoveOps {
    private MoveOps() {}

    static Operation decode(Opcode opcode, Operands o) {
        return switch (opcode.name()) {
            case "mov" -> move(opcode, o);
            case "cvta" -> convertAddress(opcode, o);
            default -> isInSpace(opcode, o);
        };
    }

    private static Operation move(Opcode opcode, Operands o) {
        PtxType type = opcode.type();
        o.expect(2);
        if (type == PtxType.PRED) {
            int d = o.predicateOut(o.at(0));
            PredicatePlace a = o.predicate(1);
            return new Operation() {
                @Override
                void run(Warp warp, int mask) {
                    warp.predicates[d] = warp.predicates[d] & ~mask | a.of(warp) & mask;
                }
            };
        }
        if (o.at(1) instanceof Vector vector) {
            return pack(type, o.out(0, type), vector.elements(), o);
        }
        if (o.at(0) instanceof Vector vector) {
            return unpack(type, vector.elements(), o.source(1, type), o);
        }
        if (o.at(1) instanceof Special special) {
            SpecialRegister register = SpecialRegister.of(special.name());
            if (register != null && (register.clock() || register.wide())) {
                return clock(register, type, o);
            }
        }
        if (o.at(1) instanceof Symbol && type.bits() < 32) {
            throw new DecodeFault("an address has 32 or 64 bits");
        }
        int d = o.out(0, type);
        int a = o.source(1, type);
        return type.wide() ? LaneOps.longs(d, a, x -> x) : new FastOps.Move(d, a);
    }

    /** Clocks count the warp's instructions; the identity of a grid is 0. */
    private static Operation clock(SpecialRegister register, PtxType type, Operands o) {
        if (register.wide() != type.wide()) {
            throw new DecodeFault(register + " has not " + type.bits() + " bits");
        }
        int d = o.out(0, type);
        boolean high = register == SpecialRegister.CLOCK_HI || register == SpecialRegister.GLOBALTIMER_HI;
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                long now = register.clock() ? warp.clock() : 0;
                for (int m = mask; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    if (type.wide()) {
                        warp.longs[d + lane] = now;
                    } else {
                        warp.words[d + lane] = (int) (high ? now >> 32 : now);
                    }
                }
            }
        };
    }

    /** The first element lies in the low bits. */
    private static Operation pack(PtxType type, int d, List<Operand> elements, Operands o) {
        PtxType element = element(type, elements.size());
        int[] places = new int[elements.size()];
        for (int i = 0; i < places.length; i++) {
            places[i] = o.wideningSource(elements.get(i), element).at();
            check(elements.get(i), element);
        }
        int bits = element.bits();
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                for (int m = mask; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    long value = 0;
                    for (int i = places.length - 1; i >= 0; i--) {
                        value = value << bits | warp.words[places[i] + lane] & (1L << bits) - 1;
                    }
                    if (type.wide()) {
                        warp.longs[d + lane] = value;
                    } else {
                        warp.words[d + lane] = (int) value;
                    }
                }
            }
        };
    }

    private static Operation unpack(PtxType type, List<Operand> elements, int a, Operands o) {
        PtxType element = element(type, elements.size());
        int[] places = new int[elements.size()];
        for (int i = 0; i < places.length; i++) {
            places[i] = o.out(elements.get(i), element);
        }
        int bits = element.bits();
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                for (int m = mask; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    long value = type.wide() ? warp.longs[a + lane] : warp.words[a + lane];
                    for (int i = 0; i < places.length; i++) {
                        warp.words[places[i] + lane] = (int) (value >>> bits * i & (1L << bits) - 1);
                    }
                }
            }
        };
    }

    private static PtxType element(PtxType type, int count) {
        int bits = type.bits() / count;
        if (type.bits() < 32 || type.bits() > 64 || bits * count != type.bits()) {
            throw new DecodeFault(type + " does not hold " + count + " elements");
        }
        return switch (bits) {
            case 8 -> PtxType.B8;
            case 16 -> PtxType.B16;
            case 32 -> PtxType.B32;
            default -> throw new DecodeFault(type + " does not hold " + count + " elements");
        };
    }

    private static void check(Operand operand, PtxType element) {
        if (operand instanceof RegisterOperand register
                && register.register().type().bits() != element.bits()) {
            throw new DecodeFault(register.register().name() + " has not " + element.bits() + " bits");
        }
    }

    private static long window(Opcode opcode) {
        return switch (opcode.takeOne("global", "const", "shared", "shared::cta", "local", "param")) {
            case "shared", "shared::cta" -> AddressWindows.SHARED;
            case "local" -> AddressWindows.LOCAL;
            case "param" -> AddressWindows.PARAM;
            default -> 0;
        };
    }

    private static Operation convertAddress(Opcode opcode, Operands o) {
        boolean to = opcode.take("to");
        long window = window(opcode);
        PtxType type = opcode.type(PtxType.U64);
        o.expect(2);
        int d = o.out(0, type);
        int a = o.wide(1, type);
        if (window == 0) {
            return LaneOps.longs(d, a, x -> x);
        }
        // A null pointer of a program stays what it is: nobody can tell it from the first byte of the space.
        return to ? LaneOps.longs(d, a, x -> x - window) : LaneOps.longs(d, a, x -> x + window);
    }

    private static Operation isInSpace(Opcode opcode, Operands o) {
        String space = opcode.takeOne("global", "const", "shared", "shared::cta", "local", "param");
        o.expect(2);
        int p = o.predicateOut(o.at(0));
        int a = o.wide(1, PtxType.U64);
        long window = switch (space) {
            case "shared", "shared::cta" -> AddressWindows.SHARED;
            case "local" -> AddressWindows.LOCAL;
            case "param" -> AddressWindows.PARAM;
            default -> 0;
        };
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                int holds = 0;
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    long of = AddressWindows.of(warp.longs[a + lane]);
                    boolean inside = window == 0 ? of == 0 || of == AddressWindows.MODULE : of == window;
                    holds |= inside ? 1 << lane : 0;
                }
                warp.predicates[p] = warp.predicates[p] & ~mask | holds & mask;
            }
        };
    }
}
