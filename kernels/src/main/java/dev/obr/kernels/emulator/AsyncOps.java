package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.Operand.RegisterOperand;
import dev.obr.kernels.emulator.Operands.AddressPlace;
import dev.obr.kernels.emulator.Operands.PredicatePlace;

/** cp.async from global to shared memory, its groups and waits. Global memory is read when the copy is issued, shared memory written when it is waited for. */
final class AsyncOps {
    private AsyncOps() {}

    static Operation decode(Opcode opcode, Operands o) {
        if (!opcode.take("async") || opcode.take("bulk") || opcode.take("mbarrier")) {
            throw new DecodeFault(opcode.text() + " is not supported by the emulator");
        }
        String what = opcode.takeAny("commit_group", "wait_group", "wait_all");
        if (what == null) {
            return copy(opcode, o);
        }
        return switch (what) {
            case "commit_group" -> {
                o.expect(0);
                yield new Operation() {
                    @Override
                    void run(Warp warp, int mask) {
                        warp.copies.commit(mask);
                    }
                };
            }
            case "wait_group" -> {
                o.expect(1);
                int newest = Math.clamp(o.literal(0), 0, Integer.MAX_VALUE);
                yield new Operation() {
                    @Override
                    void run(Warp warp, int mask) {
                        warp.copies.await(mask, newest);
                    }
                };
            }
            default -> {
                o.expect(0);
                yield new Operation() {
                    @Override
                    void run(Warp warp, int mask) {
                        warp.copies.commit(mask);
                        warp.copies.await(mask, 0);
                    }
                };
            }
        };
    }

    private static Operation copy(Opcode opcode, Operands o) {
        boolean all = opcode.takeOne("ca", "cg").equals("cg");
        opcode.takeOne("shared", "shared::cta");
        opcode.takeOne("global");
        opcode.ignore("L2::64B", "L2::128B", "L2::256B");
        if (o.count() < 3 || o.count() > 4) {
            throw new DecodeFault("expected 3 or 4 operands, not " + o.count());
        }
        AddressPlace to = o.address(0);
        AddressPlace from = o.address(1);
        int bytes = (int) o.literal(2);
        if (bytes != 16 && (all || (bytes != 4 && bytes != 8))) {
            throw new DecodeFault("cannot copy " + bytes + " bytes so");
        }
        boolean byPredicate = o.count() == 4
                && o.at(3) instanceof RegisterOperand register
                && register.register().type() == PtxType.PRED;
        PredicatePlace ignored = byPredicate ? o.predicate(3) : null;
        int size = o.count() == 4 && !byPredicate ? o.word(3, PtxType.U32) : o.wordConstant(bytes);
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                int[] sizes = new int[Warp.LANES];
                int skipped = ignored == null ? 0 : ignored.of(warp);
                for (int m = mask; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    sizes[lane] = (skipped >>> lane & 1) != 0 ? 0 : warp.words[size + lane];
                    if (sizes[lane] < 0 || sizes[lane] > bytes) {
                        throw new Fault(lane, "copies " + sizes[lane] + " of " + bytes + " bytes");
                    }
                }
                issue(warp, mask, to, from, bytes, sizes);
            }
        };
    }

    private static void issue(Warp warp, int mask, AddressPlace to, AddressPlace from, int bytes, int[] sizes) {
        long[] low = new long[Warp.LANES];
        long[] high = new long[Warp.LANES];
        Request request = warp.request;
        int whole = 0;
        MemoryOps.addresses(from, warp, mask, request.addresses);
        for (int m = mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            if (sizes[lane] == bytes) {
                whole |= 1 << lane;
            } else if (sizes[lane] != 0) {
                readPart(warp, lane, sizes[lane], bytes, low, high);
                MemoryOps.addresses(from, warp, mask, request.addresses);
            }
        }
        if (whole != 0) {
            request.set(whole, Math.min(bytes, 8), bytes == 16 ? 2 : 1, false);
            request.checkAlignment();
            warp.block.memory().global().read(warp, request);
            for (int m = whole; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                low[lane] = request.data[lane];
                high[lane] = bytes == 16 ? request.data[Warp.LANES + lane] : 0;
            }
        }
        MemoryOps.addresses(to, warp, mask, request.addresses);
        request.set(mask, Math.min(bytes, 8), bytes == 16 ? 2 : 1, false);
        request.checkAlignment();
        SharedMemory shared = warp.block.memory().shared();
        shared.count(warp, request);
        int[] places = new int[Warp.LANES];
        for (int m = mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            places[lane] = (int) request.addresses[lane];
            shared.announce(warp, lane, request.addresses[lane], bytes);
        }
        warp.block.counters().asyncBytes += (long) bytes * Integer.bitCount(mask);
        warp.copies.add(mask, bytes, places, low, high);
    }

    /** The first bytes of what one lane copies; the rest is zero. */
    private static void readPart(Warp warp, int lane, int size, int bytes, long[] low, long[] high) {
        Request request = warp.request;
        long start = request.addresses[lane];
        if ((start & bytes - 1) != 0) {
            throw new Fault(lane, "the address 0x" + Long.toHexString(start) + " of " + bytes + " bytes is misaligned");
        }
        for (int i = 0; i < size; i++) {
            request.set(1 << lane, 1, 1, false);
            request.addresses[lane] = start + i;
            warp.block.memory().global().read(warp, request);
            if (i < 8) {
                low[lane] |= request.data[lane] << 8 * i;
            } else {
                high[lane] |= request.data[lane] << 8 * (i - 8);
            }
        }
    }
}
