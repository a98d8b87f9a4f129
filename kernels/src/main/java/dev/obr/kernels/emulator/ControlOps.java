package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.KernelBuilder.Target;
import java.util.List;

/** Branches and ends. */
final class ControlOps {
    private ControlOps() {}

    static Operation decode(Opcode opcode, Operands o) {
        return switch (opcode.name()) {
            case "bra" -> {
                opcode.take("uni");
                o.expect(1);
                yield new Branch(o.target(0));
            }
            case "brx" -> {
                opcode.takeOne("idx");
                opcode.take("uni");
                o.expect(2);
                yield new Indexed(o.word(0, PtxType.U32), o.targets(1));
            }
            case "trap" -> {
                o.expect(0);
                yield new Trap();
            }
            default -> {
                boolean returns = opcode.name().equals("ret");
                if (returns) {
                    opcode.take("uni");
                }
                o.expect(0);
                Target end = o.end();
                yield returns && end != null ? new Branch(end) : new Exit();
            }
        };
    }

    /** An operation after which lanes are elsewhere. */
    abstract static class Transfer extends Operation {
        abstract List<Target> targets();
    }

    static final class Branch extends Transfer {
        private final Target target;

        Branch(Target target) {
            this.target = target;
        }

        @Override
        List<Target> targets() {
            return List.of(target);
        }

        @Override
        void run(Warp warp, int mask) {
            warp.branch(mask, target.pc());
        }
    }

    static final class Indexed extends Transfer {
        private final int index;
        private final List<Target> targets;

        Indexed(int index, List<Target> targets) {
            this.index = index;
            this.targets = targets;
        }

        @Override
        List<Target> targets() {
            return targets;
        }

        @Override
        void run(Warp warp, int mask) {
            int left = mask;
            while (left != 0) {
                int first = Integer.numberOfTrailingZeros(left);
                int to = warp.words[index + first];
                if (to < 0 || to >= targets.size()) {
                    throw new Fault(first, "the branch has " + targets.size() + " targets, no number " + to);
                }
                int lanes = 0;
                for (int m = left; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    lanes |= warp.words[index + lane] == to ? 1 << lane : 0;
                }
                warp.branch(lanes, targets.get(to).pc());
                left &= ~lanes;
            }
        }
    }

    static final class Exit extends Transfer {
        @Override
        List<Target> targets() {
            return List.of();
        }

        @Override
        void run(Warp warp, int mask) {
            warp.exit(mask);
        }
    }

    /** trap, or a failed assertion. */
    static final class Trap extends Transfer {
        @Override
        List<Target> targets() {
            return List.of();
        }

        @Override
        void run(Warp warp, int mask) {
            throw new Fault(Integer.numberOfTrailingZeros(mask), "the kernel stops itself");
        }
    }
}
