package dev.obr.kernels.emulator;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.LaunchShape;

/** A thread block as one thread of the host runs it; the same object runs one block after the other. */
final class ThreadBlock {
    private static final int GREEDY_STEPS = 10_000;

    private final KernelCode code;
    private final LaunchShape shape;
    private final EmulatorOptions options;
    private final KernelCounters counters;
    private final Warp[] warps;
    private final BlockMemory memory;
    private final Barriers barriers;
    private int number;
    private int liveWarps;
    private boolean fenced;

    ThreadBlock(KernelCode code, LaunchShape shape, EmulatorOptions options, LaunchMemory launch, byte[] parameters) {
        this.code = code;
        this.shape = shape;
        this.options = options;
        this.counters = new KernelCounters(code.instructions().length);
        int count = (int) (shape.block().count() + Warp.LANES - 1) / Warp.LANES;
        SharedMemory shared =
                new SharedMemory(code.dynamicSharedAt() + shape.sharedBytes(), count, options.check(), counters);
        this.memory = new BlockMemory(new GlobalAccess(launch, counters, options.check()), shared, parameters);
        this.barriers = new Barriers(this, count);
        this.warps = new Warp[count];
        for (int i = 0; i < count; i++) {
            warps[i] = new Warp(this, i, code, counters);
        }
    }

    KernelCounters counters() {
        return counters;
    }

    BlockMemory memory() {
        return memory;
    }

    Barriers barriers() {
        return barriers;
    }

    LaunchShape shape() {
        return shape;
    }

    /** In the grid, x fastest. */
    int number() {
        return number;
    }

    int x() {
        return number % shape.grid().x();
    }

    int y() {
        return number / shape.grid().x() % shape.grid().y();
    }

    int z() {
        return number / shape.grid().x() / shape.grid().y();
    }

    int warps() {
        return warps.length;
    }

    Warp warp(int index) {
        return warps[index];
    }

    int liveWarps() {
        return liveWarps;
    }

    int sharedBytes() {
        return memory.shared().size();
    }

    long instructionLimit() {
        return options.instructionLimit();
    }

    /** A warp has run a fence of the whole device. */
    void fence() {
        fenced = true;
    }

    boolean fenced() {
        return fenced;
    }

    void exited(Warp warp) {
        liveWarps--;
        barriers.exited();
    }

    /** An instruction for a message. */
    String instruction(int at) {
        Instruction instruction = code.instructions()[at];
        return "line " + instruction.line() + " \"" + instruction.text() + "\"";
    }

    /** Runs one block to its end. */
    void run(int block) {
        number = block;
        fenced = false;
        liveWarps = warps.length;
        memory.shared().reset();
        barriers.reset(warps.length);
        long threads = shape.block().count();
        for (int i = 0; i < warps.length; i++) {
            long left = threads - (long) i * Warp.LANES;
            warps[i].reset(left >= Warp.LANES ? -1 : (1 << left) - 1);
        }
        while (liveWarps > 0) {
            if (!pass()) {
                throw deadlock();
            }
        }
    }

    /** Lets each warp that can run do so once; false if none can. */
    private boolean pass() {
        boolean ran = false;
        int steps = options.schedule() == Schedule.ROUND_ROBIN ? 1 : GREEDY_STEPS;
        for (int i = 0; i < warps.length; i++) {
            Warp warp = warps[options.schedule() == Schedule.REVERSED ? warps.length - 1 - i : i];
            if (warp.state == Warp.State.READY) {
                ran = true;
                try {
                    warp.run(steps);
                } catch (Fault e) {
                    throw error(warp, e.lane(), e.what());
                } catch (EmulationException e) {
                    throw e;
                } catch (ObrException e) {
                    throw error(warp, -1, String.valueOf(e.getMessage()));
                }
            }
        }
        return ran;
    }

    private EmulationException error(Warp warp, int lane, String what) {
        Instruction instruction = code.instructions()[warp.at];
        return new EmulationException(
                code.kernel(),
                instruction.line(),
                code.kernel() + ", " + instruction(warp.at) + ", block (" + x() + "," + y() + "," + z() + "), warp "
                        + warp.index + (lane < 0 ? "" : ", lane " + lane) + ": " + what);
    }

    private EmulationException deadlock() {
        StringBuilder who = new StringBuilder();
        int line = 0;
        for (Warp warp : warps) {
            if (warp.state == Warp.State.AT_BARRIER) {
                line = line == 0 ? code.instructions()[warp.at].line() : line;
                who.append(who.isEmpty() ? "" : "; ")
                        .append("warp ")
                        .append(warp.index)
                        .append(" waits at barrier ")
                        .append(barriers.of(warp))
                        .append(", ")
                        .append(instruction(warp.at));
            }
        }
        return new EmulationException(
                code.kernel(),
                line,
                code.kernel() + ", block (" + x() + "," + y() + "," + z() + "): all warps wait for ever: " + who);
    }
}
