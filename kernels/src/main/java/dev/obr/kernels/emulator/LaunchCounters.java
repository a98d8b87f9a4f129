package dev.obr.kernels.emulator;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a launch did, summed over its thread blocks; the same in each run of the same launch.
 *
 * <p>A wavefront is one pass over the 32 banks of shared memory; ideal is what the same request would take without conflicts. A sector is 32 aligned bytes of global memory; ideal is what the
 * distinct bytes of the same request would fill.
 */
public final class LaunchCounters {
    /**
     * What one instruction of the module did.
     *
     * @param line of the module's text
     * @param text of the instruction
     * @param executions by warps
     * @param divergent executions with some lanes of the warp elsewhere
     * @param wavefronts of shared memory
     * @param idealWavefronts without bank conflicts
     * @param sectors of global memory
     * @param idealSectors if every byte of each sector were used
     */
    public record Line(
            int line,
            String text,
            long executions,
            long divergent,
            long wavefronts,
            long idealWavefronts,
            long sectors,
            long idealSectors) {
        /** Wavefronts and sectors beyond the ideal. */
        public long excess() {
            return wavefronts - idealWavefronts + sectors - idealSectors;
        }
    }

    /** Warp instructions. */
    public long instructions() {
        throw new UnsupportedOperationException();
    }

    /** Warp instructions that ran while other lanes of the warp, not yet exited, were elsewhere. */
    public long divergent() {
        throw new UnsupportedOperationException();
    }

    /** Warp instructions by opcode with its modifiers, as in ld.global.nc.v4.u32. */
    public Map<String, Long> byOpcode() {
        return new TreeMap<>();
    }

    /** Tensor core products by shape, as in mma.sp.m16n8k128.s4.s4.s32. */
    public Map<String, Long> mmaByShape() {
        return new TreeMap<>();
    }

    /** Tensor core products. */
    public long mma() {
        return mmaByShape().values().stream().mapToLong(Long::longValue).sum();
    }

    /** Barriers that a warp arrived at. */
    public long barriers() {
        throw new UnsupportedOperationException();
    }

    public long sharedWavefronts() {
        throw new UnsupportedOperationException();
    }

    public long idealSharedWavefronts() {
        throw new UnsupportedOperationException();
    }

    public long globalLoadSectors() {
        throw new UnsupportedOperationException();
    }

    public long idealGlobalLoadSectors() {
        throw new UnsupportedOperationException();
    }

    public long globalStoreSectors() {
        throw new UnsupportedOperationException();
    }

    public long idealGlobalStoreSectors() {
        throw new UnsupportedOperationException();
    }

    /** Bytes that lanes read from global memory, those by cp.async too. */
    public long globalBytesRead() {
        throw new UnsupportedOperationException();
    }

    public long globalBytesWritten() {
        throw new UnsupportedOperationException();
    }

    /** Bytes that cp.async copied to shared memory. */
    public long asyncBytes() {
        throw new UnsupportedOperationException();
    }

    /** The instructions with the most excess, the worst first; those without any are left out. */
    public List<Line> worst(int most) {
        return List.<Line>of().subList(0, Math.min(most, 0));
    }

    /** All instructions that ran, by line. */
    public List<Line> lines() {
        return List.of();
    }

    /** Adds another launch's, for sums over many. */
    public LaunchCounters plus(LaunchCounters other) {
        throw new UnsupportedOperationException("not yet: " + other);
    }
}
