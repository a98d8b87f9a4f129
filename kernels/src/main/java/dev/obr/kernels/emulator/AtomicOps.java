package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.MemoryOps.Space;
import dev.obr.kernels.emulator.Operands.AddressPlace;

/** atom and red: lanes update memory one after the other, in the order of their numbers. */
final class AtomicOps {
    private AtomicOps() {}

    /** What becomes of a value in memory; all values are zero-extended. */
    private interface Update {
        long apply(long before, long b, long c);
    }

    static Operation decode(Opcode opcode, Operands o) {
        boolean returns = opcode.name().equals("atom");
        opcode.takeAny("relaxed", "acquire", "release", "acq_rel");
        opcode.takeAny("cta", "cluster", "gpu", "sys");
        String spaceName = opcode.takeAny("global", "shared", "shared::cta");
        Space space = spaceName == null ? Space.GENERIC : spaceName.equals("global") ? Space.GLOBAL : Space.SHARED;
        String name = opcode.takeOne("and", "or", "xor", "exch", "cas", "add", "inc", "dec", "min", "max");
        opcode.ignore("noftz");
        PtxType type = opcode.type();
        if (type.bits() < 16 || type.bits() > 64 || (type.bits() == 16 && !type.isFloat() && !name.equals("cas"))) {
            throw new DecodeFault("no atomic update of " + type);
        }
        boolean compares = name.equals("cas");
        int at = returns ? 1 : 0;
        o.expect(at + (compares ? 3 : 2));
        int d = returns ? o.out(0, type) : -1;
        AddressPlace address = o.address(at);
        int b = o.source(at + 1, type);
        int c = compares ? o.source(at + 2, type) : b;
        Update update = update(name, type);
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                Request request = warp.request;
                request.set(mask, type.bytes(), 1, true);
                MemoryOps.addresses(address, warp, mask, request.addresses);
                request.checkAlignment();
                if (space == Space.GLOBAL) {
                    warp.block.memory().global().count(warp, request);
                } else if (space == Space.SHARED) {
                    warp.block.memory().shared().count(warp, request);
                }
                for (int m = mask; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    long x = value(warp, type, b + lane);
                    long y = value(warp, type, c + lane);
                    long before = update(warp, lane, request.addresses[lane], space, type, update, x, y);
                    if (d >= 0 && type.wide()) {
                        warp.longs[d + lane] = before;
                    } else if (d >= 0) {
                        warp.words[d + lane] = (int) before;
                    }
                }
            }
        };
    }

    private static long update(
            Warp warp, int lane, long address, Space space, PtxType type, Update update, long x, long y) {
        long window = space == Space.GENERIC ? AddressWindows.of(address) : 0;
        Space where = space == Space.GENERIC ? BlockMemory.space(window) : space;
        return switch (where) {
            case GLOBAL ->
                warp.block.memory().global().update(lane, address, type.bytes(), before -> update.apply(before, x, y));
            case SHARED ->
                warp.block
                        .memory()
                        .shared()
                        .update(warp, lane, address - window, type.bytes(), before -> update.apply(before, x, y));
            default -> throw new Fault(lane, "updates neither global nor shared memory");
        };
    }

    private static long value(Warp warp, PtxType type, int place) {
        return type.wide() ? warp.longs[place] : warp.words[place] & (1L << type.bits()) - 1;
    }

    private static Update update(String name, PtxType type) {
        return switch (name) {
            case "and" -> (before, b, c) -> before & b;
            case "or" -> (before, b, c) -> before | b;
            case "xor" -> (before, b, c) -> before ^ b;
            case "exch" -> (before, b, c) -> b;
            case "cas" -> (before, b, c) -> before == b ? c : before;
            case "inc" -> (before, b, c) -> Long.compareUnsigned(before, b) >= 0 ? 0 : before + 1;
            case "dec" -> (before, b, c) -> before == 0 || Long.compareUnsigned(before, b) > 0 ? b : before - 1;
            case "add" -> add(type);
            default -> extreme(type, name.equals("min"));
        };
    }

    private static Update add(PtxType type) {
        return switch (type) {
            case F64 -> (before, b, c) -> FloatOps.bits(Double.longBitsToDouble(before) + Double.longBitsToDouble(b));
            case F32 ->
                (before, b, c) ->
                        FloatOps.bits(Float.intBitsToFloat((int) before) + Float.intBitsToFloat((int) b)) & 0xffffffffL;
            case F16, BF16 -> (before, b, c) -> sum(type, (int) before, (int) b);
            case F16X2 -> (before, b, c) -> sums(PtxType.F16, (int) before, (int) b);
            case BF16X2 -> (before, b, c) -> sums(PtxType.BF16, (int) before, (int) b);
            default -> (before, b, c) -> before + b;
        };
    }

    private static long sums(PtxType type, int a, int b) {
        return sum(type, a, b) | sum(type, a >>> 16, b >>> 16) << 16;
    }

    private static long sum(PtxType type, int a, int b) {
        return HalfOps.narrow(type, (double) HalfOps.widen(type, a) + HalfOps.widen(type, b));
    }

    private static Update extreme(PtxType type, boolean least) {
        if (!type.isInteger() || type.bits() < 32) {
            throw new DecodeFault("no atomic minimum or maximum of " + type);
        }
        return (before, b, c) -> {
            int sign = type.signed()
                    ? Long.compare(Conversion.extend(before, type), Conversion.extend(b, type))
                    : Long.compareUnsigned(before, b);
            return sign <= 0 == least ? before : b;
        };
    }
}
