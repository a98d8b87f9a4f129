package dev.obr.kernels.emulator;

/**
 * 32 lanes and their registers.
 *
 * <p>Lanes that are at the same instruction run together as a group. Of several groups the one whose instruction comes first in the order of the control flow runs, so that groups meet again as
 * early as they can ({@link ControlFlow}). A group that reaches an instruction of the whole warp waits for the others there.
 *
 * <p>Register r of lane l lies at {@code 32 r + l}, predicates are one bit a lane.
 */
final class Warp {
    enum State {
        READY,
        AT_BARRIER,
        EXITED
    }

    static final int LANES = 32;
    /** After so many instructions without a change of the group another one has a turn, of so many. */
    private static final int PATIENCE = 20_000;

    private static final int TURN = 2_000;

    final ThreadBlock block;
    final int index;
    final int[] words;
    final long[] longs;
    final int[] predicates;
    /** Carry flags, one bit a lane. */
    int carry;

    final LocalMemory local;
    final Request request = new Request();
    final AsyncCopies copies;
    /** Registers of a tensor core product, gathered. */
    final int[][] fragments = {new int[4 * LANES], new int[4 * LANES], new int[4 * LANES], new int[LANES]};

    State state = State.EXITED;
    /** Lanes that have not exited. */
    int live;
    /** The lanes that run now. */
    int active;
    /** The instruction that runs. */
    int at;

    private final KernelCode code;
    private final Instruction[] instructions;
    private final KernelCounters counters;
    private int pc;
    private long steps;
    private long resumed;
    private long turnEnds;
    private final LaneGroups groups = new LaneGroups();

    Warp(ThreadBlock block, int index, KernelCode code, KernelCounters counters) {
        this.block = block;
        this.index = index;
        this.code = code;
        this.counters = counters;
        this.instructions = code.instructions();
        this.words = new int[code.registers().words()];
        this.longs = new long[code.registers().longs()];
        this.predicates = new int[code.registers().predicates()];
        this.local = new LocalMemory(code.localBytes());
        this.copies = new AsyncCopies(this);
    }

    /** Begins a thread block with these lanes. */
    void reset(int lanes) {
        code.registers().fill(this);
        carry = 0;
        local.clear();
        copies.clear();
        groups.clear();
        live = lanes;
        active = lanes;
        pc = 0;
        steps = 0;
        resumed = 0;
        turnEnds = 0;
        state = State.READY;
    }

    /** Runs up to this many instructions, fewer where it comes to a barrier or its end. */
    void run(int most) {
        for (int i = 0; i < most && state == State.READY; i++) {
            step();
        }
    }

    private void step() {
        if (groups.concern(code.rank(pc))) {
            arrange();
        }
        if (groups.any() && steps - resumed > PATIENCE) {
            giveTurn();
        }
        Instruction instruction = instructions[pc];
        at = pc;
        if (instruction.convergence() != Operation.Convergence.NONE && !converged(instruction)) {
            return;
        }
        if (++steps > block.instructionLimit()) {
            throw new Fault(
                    -1,
                    "the warp has run " + block.instructionLimit()
                            + " instructions: an endless loop, or a wait for another block or warp that cannot run");
        }
        int mask = active;
        if (instruction.guard() >= 0) {
            int predicate = predicates[instruction.guard()];
            mask &= instruction.negated() ? ~predicate : predicate;
        }
        counters.executed(at, active != live);
        pc++;
        if (mask != 0) {
            instruction.operation().run(this, mask);
        }
    }

    /** Another group has come before this one, or both are at the same instruction. */
    private void arrange() {
        active |= groups.take(pc);
        int other = groups.earliest();
        if (other >= 0 && groups.rank(other) < code.rank(pc) && steps >= turnEnds) {
            groups.add(pc, code.rank(pc), active, false);
            resume(other);
        }
    }

    /** Lanes may wait in a loop for what another group is to do, as for a lock that it holds: then that one has a turn, though it comes later in the order. */
    private void giveTurn() {
        int other = groups.latest();
        if (other >= 0) {
            groups.add(pc, code.rank(pc), active, false);
            resume(other);
            turnEnds = steps + TURN;
        }
    }

    private void resume(int group) {
        pc = groups.pc(group);
        active = groups.take(pc);
        resumed = steps;
    }

    /** Whether all lanes that the instruction needs are here; if not, this group waits and another runs. */
    private boolean converged(Instruction instruction) {
        int needed = switch (instruction.convergence()) {
            case FULL -> -1;
            case MEMBERS -> members(instruction) & live;
            default -> live;
        };
        if ((needed & ~active) == 0) {
            return true;
        }
        if ((needed & ~live) != 0) {
            throw new Fault(
                    -1,
                    "the instruction needs all 32 lanes, of which " + lanes(needed & ~live)
                            + " have exited or never were");
        }
        groups.add(pc, code.rank(pc), active, true);
        int other = groups.earliest();
        if (other < 0) {
            throw new Fault(
                    -1,
                    "the warp has diverged: lanes " + lanes(active) + " wait here for lanes " + lanes(needed & ~active)
                            + ", which wait at " + groups.whereabouts(needed & ~active, instructions));
        }
        resume(other);
        return false;
    }

    private int members(Instruction instruction) {
        int all = 0;
        int slot = instruction.operation().members();
        for (int m = active; m != 0; m &= m - 1) {
            all |= words[slot + Integer.numberOfTrailingZeros(m)];
        }
        return all;
    }

    /** These of the active lanes jump; the others go on. */
    void branch(int mask, int target) {
        int others = active & ~mask;
        if (others == 0) {
            pc = target;
        } else {
            // The one that comes first runs on, which the next step sees to.
            groups.add(target, code.rank(target), mask, false);
            active = others;
        }
    }

    /** These of the active lanes end. */
    void exit(int mask) {
        live &= ~mask;
        active &= ~mask;
        groups.wake();
        if (active == 0) {
            if (live == 0) {
                state = State.EXITED;
                block.exited(this);
            } else {
                resume(groups.earliest());
            }
        }
    }

    long clock() {
        return steps;
    }

    /** Lanes as in 0-3,8. */
    static String lanes(int mask) {
        StringBuilder text = new StringBuilder();
        for (int lane = 0; lane < LANES; lane++) {
            if ((mask >>> lane & 1) != 0) {
                int last = lane;
                while (last < LANES - 1 && (mask >>> (last + 1) & 1) != 0) {
                    last++;
                }
                text.append(text.isEmpty() ? "" : ",").append(lane);
                if (last > lane) {
                    text.append('-').append(last);
                }
                lane = last;
            }
        }
        return text.toString();
    }
}
