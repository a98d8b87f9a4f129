package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.Operands.PredicatePlace;

/** What lanes of a warp tell each other: shfl, vote, match, redux and activemask. */
final class WarpOps {
    private WarpOps() {}

    static Operation decode(Opcode opcode, Operands o) {
        if (opcode.name().equals("activemask")) {
            opcode.type(PtxType.B32);
            o.expect(1);
            int d = o.out(0, PtxType.B32);
            return new Operation() {
                @Override
                void run(Warp warp, int mask) {
                    set(warp, d, mask, mask);
                }
            };
        }
        if (!opcode.take("sync")) {
            throw new DecodeFault(opcode.name() + " without .sync is of devices before sm_70");
        }
        return switch (opcode.name()) {
            case "shfl" -> shuffle(opcode, o);
            case "vote" -> vote(opcode, o);
            case "match" -> match(opcode, o);
            default -> reduce(opcode, o);
        };
    }

    /** An operation on all lanes that name each other in their member masks. */
    private abstract static class Collective extends Operation {
        private final int members;

        Collective(int members) {
            this.members = members;
        }

        @Override
        final Convergence convergence() {
            return Convergence.MEMBERS;
        }

        @Override
        final int members() {
            return members;
        }

        @Override
        final void run(Warp warp, int mask) {
            int left = mask;
            while (left != 0) {
                int first = Integer.numberOfTrailingZeros(left);
                int named = warp.words[members + first];
                int lanes = 0;
                for (int m = left; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    lanes |= warp.words[members + lane] == named ? 1 << lane : 0;
                }
                if ((lanes & ~named) != 0) {
                    throw new Fault(
                            Integer.numberOfTrailingZeros(lanes & ~named),
                            "the member mask 0x" + Integer.toHexString(named) + " does not name the lane itself");
                }
                if ((named & warp.live & ~lanes) != 0) {
                    throw new Fault(
                            first,
                            "the member mask 0x" + Integer.toHexString(named) + " names lanes "
                                    + Warp.lanes(named & warp.live & ~lanes) + ", which do not take part");
                }
                together(warp, lanes);
                left &= ~lanes;
            }
        }

        abstract void together(Warp warp, int lanes);
    }

    private static void set(Warp warp, int d, int lanes, int value) {
        for (int m = lanes; m != 0; m &= m - 1) {
            warp.words[d + Integer.numberOfTrailingZeros(m)] = value;
        }
    }

    private static void setPredicate(Warp warp, int p, int lanes, int holds) {
        warp.predicates[p] = warp.predicates[p] & ~lanes | holds & lanes;
    }

    private enum Shuffle {
        UP,
        DOWN,
        BFLY,
        IDX
    }

    /** c = segment mask << 8 | clamp. A lane whose source lies outside of its segment keeps its own value and gets false. */
    private static Operation shuffle(Opcode opcode, Operands o) {
        Shuffle mode =
                Shuffle.valueOf(opcode.takeOne("up", "down", "bfly", "idx").toUpperCase(java.util.Locale.ROOT));
        opcode.type(PtxType.B32);
        o.expect(5);
        int d = o.out(o.first(0), PtxType.B32);
        Operand second = o.second(0);
        int p = second == null ? -1 : o.predicateOut(second);
        int a = o.word(1, PtxType.B32);
        int b = o.word(2, PtxType.B32);
        int c = o.word(3, PtxType.B32);
        return new Collective(o.word(4, PtxType.B32)) {
            @Override
            void together(Warp warp, int lanes) {
                int[] r = warp.words;
                int[] result = new int[Warp.LANES];
                int inside = 0;
                for (int m = lanes; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    int by = r[b + lane] & 31;
                    int segment = r[c + lane] >> 8 & 31;
                    int last = lane & segment | r[c + lane] & 31 & ~segment;
                    int from = switch (mode) {
                        case UP -> lane - by;
                        case DOWN -> lane + by;
                        case BFLY -> lane ^ by;
                        case IDX -> lane & segment | by & ~segment;
                    };
                    boolean within = mode == Shuffle.UP ? from >= last : from <= last;
                    if (!within) {
                        from = lane;
                    }
                    if ((lanes >>> from & 1) == 0) {
                        throw new Fault(lane, "reads lane " + from + ", which does not take part");
                    }
                    inside |= within ? 1 << lane : 0;
                    result[lane] = r[a + from];
                }
                for (int m = lanes; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    r[d + lane] = result[lane];
                }
                if (p >= 0) {
                    setPredicate(warp, p, lanes, inside);
                }
            }
        };
    }

    private static Operation vote(Opcode opcode, Operands o) {
        String mode = opcode.takeOne("all", "any", "uni", "ballot");
        boolean ballot = mode.equals("ballot");
        opcode.type(ballot ? PtxType.B32 : PtxType.PRED);
        o.expect(3);
        int d = ballot ? o.out(0, PtxType.B32) : o.predicateOut(o.at(0));
        PredicatePlace a = o.predicate(1);
        return new Collective(o.word(2, PtxType.B32)) {
            @Override
            void together(Warp warp, int lanes) {
                int votes = a.of(warp) & lanes;
                if (ballot) {
                    set(warp, d, lanes, votes);
                    return;
                }
                boolean holds = switch (mode) {
                    case "all" -> votes == lanes;
                    case "any" -> votes != 0;
                    default -> votes == 0 || votes == lanes;
                };
                setPredicate(warp, d, lanes, holds ? -1 : 0);
            }
        };
    }

    private static Operation match(Opcode opcode, Operands o) {
        boolean all = opcode.takeOne("any", "all").equals("all");
        PtxType type = opcode.type(PtxType.B32, PtxType.B64);
        o.expect(3);
        int d = o.out(o.first(0), PtxType.B32);
        Operand second = o.second(0);
        int p = second == null ? -1 : o.predicateOut(second);
        int a = o.source(1, type);
        return new Collective(o.word(2, PtxType.B32)) {
            @Override
            void together(Warp warp, int lanes) {
                int[] result = new int[Warp.LANES];
                for (int m = lanes; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    for (int n = lanes; n != 0; n &= n - 1) {
                        int other = Integer.numberOfTrailingZeros(n);
                        boolean same = type.wide()
                                ? warp.longs[a + lane] == warp.longs[a + other]
                                : warp.words[a + lane] == warp.words[a + other];
                        result[lane] |= same ? 1 << other : 0;
                    }
                }
                boolean equal = result[Integer.numberOfTrailingZeros(lanes)] == lanes;
                for (int m = lanes; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    warp.words[d + lane] = all ? (equal ? lanes : 0) : result[lane];
                }
                if (p >= 0) {
                    setPredicate(warp, p, lanes, equal ? -1 : 0);
                }
            }
        };
    }

    private static Operation reduce(Opcode opcode, Operands o) {
        String name = opcode.takeOne("add", "min", "max", "and", "or", "xor");
        PtxType type = opcode.type(PtxType.U32, PtxType.S32, PtxType.B32);
        boolean logic = name.equals("and") || name.equals("or") || name.equals("xor");
        if (logic != (type == PtxType.B32)) {
            throw new DecodeFault("no " + name + " of " + type);
        }
        o.expect(3);
        int d = o.out(0, type);
        int a = o.word(1, type);
        boolean signed = type.signed();
        return new Collective(o.word(2, PtxType.B32)) {
            @Override
            void together(Warp warp, int lanes) {
                int first = Integer.numberOfTrailingZeros(lanes);
                int result = warp.words[a + first];
                for (int m = lanes & ~(1 << first); m != 0; m &= m - 1) {
                    int value = warp.words[a + Integer.numberOfTrailingZeros(m)];
                    int sign = signed ? Integer.compare(value, result) : Integer.compareUnsigned(value, result);
                    result = switch (name) {
                        case "add" -> result + value;
                        case "and" -> result & value;
                        case "or" -> result | value;
                        case "xor" -> result ^ value;
                        case "min" -> sign < 0 ? value : result;
                        default -> sign > 0 ? value : result;
                    };
                }
                set(warp, d, lanes, result);
            }
        };
    }
}
