package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.Operands.PredicatePlace;
import org.jspecify.annotations.Nullable;

/** Barriers of blocks and warps, and fences. Memory of the emulator is in order, so that fences do nothing but be noted. */
final class BarrierOps {
    private BarrierOps() {}

    static Operation decode(Opcode opcode, Operands o) {
        return switch (opcode.name()) {
            case "membar" -> fence(!opcode.takeOne("cta", "gl", "sys").equals("cta"), o);
            case "fence" -> {
                opcode.takeAny("sc", "acq_rel");
                yield fence(!opcode.takeOne("cta", "gpu", "sys").equals("cta"), o);
            }
            case "nanosleep" -> {
                opcode.type(PtxType.U32);
                o.expect(1);
                o.word(0, PtxType.U32);
                yield nothing();
            }
            default -> barrier(opcode, o);
        };
    }

    private static Operation nothing() {
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {}
        };
    }

    private static Operation fence(boolean device, Operands o) {
        o.expect(0);
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                if (device) {
                    warp.block.fence();
                }
            }
        };
    }

    private static Operation barrier(Opcode opcode, Operands o) {
        if (opcode.take("warp")) {
            return warpBarrier(opcode, o);
        }
        opcode.ignore("cta", "aligned");
        return switch (opcode.takeOne("sync", "arrive", "red")) {
            case "sync" -> {
                expect(o, 1, 2);
                yield new Barrier(id(o, 0), o.count() == 2 ? threads(o, 1) : -1, true, null, null);
            }
            case "arrive" -> {
                o.expect(2);
                yield new Barrier(id(o, 0), threads(o, 1), false, null, null);
            }
            default -> reduction(opcode, o);
        };
    }

    private static void expect(Operands o, int least, int most) {
        if (o.count() < least || o.count() > most) {
            throw new DecodeFault("expected " + least + " to " + most + " operands, not " + o.count());
        }
    }

    private static int id(Operands o, int i) {
        return o.word(i, PtxType.U32);
    }

    private static int threads(Operands o, int i) {
        return o.word(i, PtxType.U32);
    }

    /** bar.red.popc.u32 d, a{, b}, p; bar.red.and.pred d, a{, b}, p. */
    private static Operation reduction(Opcode opcode, Operands o) {
        String name = opcode.takeOne("popc", "and", "or");
        expect(o, 3, 4);
        int last = o.count() - 1;
        PredicatePlace vote = o.predicate(last);
        int threads = last == 3 ? threads(o, 2) : -1;
        if (name.equals("popc")) {
            opcode.type(PtxType.U32);
            int d = o.out(0, PtxType.U32);
            return new Barrier(id(o, 1), threads, true, vote, (warp, holds, all) -> {
                for (int m = warp.live; m != 0; m &= m - 1) {
                    warp.words[d + Integer.numberOfTrailingZeros(m)] = holds;
                }
            });
        }
        opcode.type(PtxType.PRED);
        int p = o.predicateOut(o.at(0));
        boolean all = name.equals("and");
        return new Barrier(id(o, 1), threads, true, vote, (warp, holds, voters) -> {
            boolean result = all ? holds == voters : holds > 0;
            warp.predicates[p] = warp.predicates[p] & ~warp.live | (result ? warp.live : 0);
        });
    }

    /** bar.warp.sync: all lanes of the member mask have come, which is all that there is to it. */
    private static Operation warpBarrier(Opcode opcode, Operands o) {
        opcode.takeOne("sync");
        o.expect(1);
        int members = o.word(0, PtxType.B32);
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {}

            @Override
            Convergence convergence() {
                return Convergence.MEMBERS;
            }

            @Override
            int members() {
                return members;
            }
        };
    }

    /** A barrier of the thread block. */
    static final class Barrier extends Operation {
        private final int id;
        private final int threads;
        private final boolean waits;
        private final @Nullable PredicatePlace vote;
        private final Barriers.@Nullable Result result;

        /** @param threads the place of their number, -1 for all */
        Barrier(int id, int threads, boolean waits, @Nullable PredicatePlace vote, Barriers.@Nullable Result result) {
            this.id = id;
            this.threads = threads;
            this.waits = waits;
            this.vote = vote;
            this.result = result;
        }

        @Override
        Convergence convergence() {
            return Convergence.LIVE;
        }

        @Override
        void run(Warp warp, int mask) {
            if (mask != warp.live) {
                throw new Fault(
                        -1,
                        "lanes " + Warp.lanes(warp.live & ~mask)
                                + " do not take part: a predicate keeps them from the barrier");
            }
            int lane = Integer.numberOfTrailingZeros(mask);
            warp.block
                    .barriers()
                    .arrive(
                            warp,
                            warp.words[id + lane],
                            threads < 0 ? 0 : warp.words[threads + lane],
                            waits,
                            vote == null ? 0 : vote.of(warp),
                            result);
        }
    }
}
