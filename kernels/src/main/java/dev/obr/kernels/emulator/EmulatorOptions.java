package dev.obr.kernels.emulator;

/**
 * How an emulator runs.
 *
 * @param schedule of the warps in a thread block
 * @param threads of the host that run thread blocks; results and counters do not depend on their number where the kernel has no races
 * @param check whether uninitialised reads and races are looked for; bounds, alignment, barriers and divergence always are
 * @param instructionLimit warp instructions that one warp may run before it is taken for an endless loop
 */
public record EmulatorOptions(Schedule schedule, int threads, boolean check, long instructionLimit) {
    private static final long INSTRUCTION_LIMIT = 200_000_000;

    public EmulatorOptions {
        if (threads < 1) {
            throw new IllegalArgumentException("an emulator runs on at least one thread, not " + threads);
        }
        if (instructionLimit < 1) {
            throw new IllegalArgumentException("a warp runs at least one instruction, not " + instructionLimit);
        }
    }

    /** Everything checked, round robin, one thread. */
    public static EmulatorOptions checked() {
        return new EmulatorOptions(Schedule.ROUND_ROBIN, 1, true, INSTRUCTION_LIMIT);
    }

    public EmulatorOptions withSchedule(Schedule other) {
        return new EmulatorOptions(other, threads, check, instructionLimit);
    }

    public EmulatorOptions withThreads(int other) {
        return new EmulatorOptions(schedule, other, check, instructionLimit);
    }

    public EmulatorOptions withCheck(boolean other) {
        return new EmulatorOptions(schedule, threads, other, instructionLimit);
    }

    public EmulatorOptions withInstructionLimit(long other) {
        return new EmulatorOptions(schedule, threads, check, other);
    }
}
