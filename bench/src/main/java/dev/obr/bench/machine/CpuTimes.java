package dev.obr.bench.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * What all cores did since the system started, in the system's ticks.
 *
 * @param all ticks of all cores
 * @param busy those of programs, this one among them, and those that a host took away
 * @param own those of this process and of the children that it has waited for
 */
record CpuTimes(long all, long busy, long own) {
    private static final int COLUMNS =
            8; // user nice system idle iowait irq softirq steal; guests are counted in the first two
    private static final int IDLE = 3;
    private static final int WAITING = 4; // for a disk
    private static final int OWN_FIRST = 11; // utime of /proc/self/stat, behind the name and counted from the state
    private static final int OWN_COUNT = 4; // utime stime cutime cstime

    /**
     * Reads them.
     *
     * @param proc usually {@code /proc}
     * @return nothing where the system does not say
     */
    static Optional<CpuTimes> read(Path proc) {
        try {
            String cores =
                    Files.readString(proc.resolve("stat")).lines().findFirst().orElse("");
            String process = Files.readString(proc.resolve("self/stat"));
            long[] ticks = numbers(cores.substring(cores.indexOf(' ') + 1), 0, COLUMNS);
            // the program's name is in parentheses and may hold anything
            long[] own = numbers(process.substring(process.lastIndexOf(')') + 1), OWN_FIRST, OWN_COUNT);
            long all = Arrays.stream(ticks).sum();
            return Optional.of(new CpuTimes(
                    all, all - ticks[IDLE] - ticks[WAITING], Arrays.stream(own).sum()));
        } catch (IOException | NumberFormatException | ArrayIndexOutOfBoundsException e) {
            return Optional.empty(); // another system, or another /proc: then nothing is known of other programs
        }
    }

    private static long[] numbers(String text, int from, int count) {
        String[] words = text.strip().split("\\s+", -1);
        long[] numbers = new long[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = Long.parseLong(words[from + i]);
        }
        return numbers;
    }

    /** The part of all cores that other programs took since {@code start}, from 0 to 1. */
    double othersSince(CpuTimes start) {
        long elapsed = all - start.all;
        long others = busy - start.busy - (own - start.own);
        return elapsed <= 0 ? 0 : Math.clamp((double) others / elapsed, 0, 1);
    }
}
