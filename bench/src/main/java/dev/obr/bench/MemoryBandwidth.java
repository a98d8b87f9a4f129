package dev.obr.bench;

import dev.obr.kernels.cpu.ThreadTeam;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.LongAdder;

/** How fast memory is read: the roof of generation, which reads every weight once a token. */
public final class MemoryBandwidth {
    private static final long BYTES = 1L << 30;
    private static final int ROUNDS = 5;

    private MemoryBandwidth() {}

    /**
     * Reads 1 GiB, far more than any cache, several times.
     *
     * @return the best round, in GB (10^9 bytes) a second
     */
    public static double read(int threads) {
        try (Arena arena = Arena.ofShared();
                ThreadTeam team = new ThreadTeam(threads)) {
            MemorySegment memory = arena.allocate(BYTES, 64);
            memory.fill((byte) 1); // gives every page memory of its own
            LongAdder sum = new LongAdder();
            double best = 0;
            for (int round = 0; round <= ROUNDS; round++) {
                long start = System.nanoTime();
                team.run(threads, part -> sum.add(sum(memory, threads, part)));
                double rate = (double) BYTES / (System.nanoTime() - start);
                best = round == 0 ? 0 : Math.max(best, rate); // the first round warms up
            }
            if (sum.sum() == 0) {
                throw new AssertionError("memory that was filled reads as zero");
            }
            return best;
        }
    }

    /** The sum of one part's longs, in eight independent chains. */
    private static long sum(MemorySegment memory, int parts, int part) {
        long grains = BYTES / 64;
        long from = grains * part / parts * 64;
        long to = grains * (part + 1) / parts * 64;
        long a = 0;
        long b = 0;
        long c = 0;
        long d = 0;
        for (long i = from; i < to; i += 64) {
            a += memory.get(ValueLayout.JAVA_LONG, i) + memory.get(ValueLayout.JAVA_LONG, i + 8);
            b += memory.get(ValueLayout.JAVA_LONG, i + 16) + memory.get(ValueLayout.JAVA_LONG, i + 24);
            c += memory.get(ValueLayout.JAVA_LONG, i + 32) + memory.get(ValueLayout.JAVA_LONG, i + 40);
            d += memory.get(ValueLayout.JAVA_LONG, i + 48) + memory.get(ValueLayout.JAVA_LONG, i + 56);
        }
        return a + b + c + d;
    }
}
