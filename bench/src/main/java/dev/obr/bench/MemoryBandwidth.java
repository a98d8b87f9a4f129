package dev.obr.bench;

import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.ThreadTeam;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.LongAdder;

/** How fast memory is read: the roof of generation, which reads every weight once a token. */
public final class MemoryBandwidth {
    private static final long BYTES = 1L << 30;
    private static final int LINE = 64;
    private static final int ROUNDS = 5;

    private MemoryBandwidth() {}

    /**
     * Reads 1 GiB, far more than any cache, several times.
     *
     * @param kernels whose way to read is measured
     * @return the best round, in GB (10^9 bytes) a second
     */
    public static double read(int threads, CpuKernels kernels) {
        try (Arena arena = Arena.ofShared();
                ThreadTeam team = new ThreadTeam(threads)) {
            MemorySegment memory = arena.allocate(BYTES, LINE);
            memory.fill((byte) 1); // gives every page memory of its own
            LongAdder sum = new LongAdder();
            double best = 0;
            for (int round = 0; round <= ROUNDS; round++) {
                long start = System.nanoTime();
                team.run(threads, part -> sum.add(kernels.read(part(memory, threads, part))));
                double rate = (double) BYTES / (System.nanoTime() - start);
                best = round == 0 ? 0 : Math.max(best, rate); // the first round warms up
            }
            if (sum.sum() == 0) {
                throw new AssertionError("memory that was filled reads as zero");
            }
            return best;
        }
    }

    /** One thread's share: whole cache lines, next to those of its neighbours. */
    private static MemorySegment part(MemorySegment memory, int parts, int part) {
        long lines = BYTES / LINE;
        long from = lines * part / parts * LINE;
        return memory.asSlice(from, lines * (part + 1) / parts * LINE - from);
    }
}
