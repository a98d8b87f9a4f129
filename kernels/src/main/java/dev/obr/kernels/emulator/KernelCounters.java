package dev.obr.kernels.emulator;

/** What one thread of the host has counted, by instruction. */
final class KernelCounters {
    final long[] executions;
    final long[] divergent;
    final long[] wavefronts;
    final long[] idealWavefronts;
    final long[] sectors;
    final long[] idealSectors;
    long bytesRead;
    long bytesWritten;
    long asyncBytes;

    KernelCounters(int instructions) {
        executions = new long[instructions];
        divergent = new long[instructions];
        wavefronts = new long[instructions];
        idealWavefronts = new long[instructions];
        sectors = new long[instructions];
        idealSectors = new long[instructions];
    }

    void executed(int at, boolean diverged) {
        executions[at]++;
        if (diverged) {
            divergent[at]++;
        }
    }

    void add(KernelCounters other) {
        add(executions, other.executions);
        add(divergent, other.divergent);
        add(wavefronts, other.wavefronts);
        add(idealWavefronts, other.idealWavefronts);
        add(sectors, other.sectors);
        add(idealSectors, other.idealSectors);
        bytesRead += other.bytesRead;
        bytesWritten += other.bytesWritten;
        asyncBytes += other.asyncBytes;
    }

    private static void add(long[] to, long[] from) {
        for (int i = 0; i < to.length; i++) {
            to[i] += from[i];
        }
    }
}
