package dev.obr.kernels.emulator;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
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
     * What one instruction did; instructions of a function that is called from several places are told apart by place, but bear the same line.
     *
     * @param kernel that it is in
     * @param line of the module's text
     * @param text of the instruction
     * @param opcode with its modifiers
     * @param executions by warps
     * @param divergent executions with some lanes of the warp elsewhere
     * @param wavefronts of shared memory
     * @param idealWavefronts without bank conflicts
     * @param sectors of global memory
     * @param idealSectors if every byte of each sector were used
     */
    public record Line(
            String kernel,
            int line,
            String text,
            String opcode,
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

        private Line plus(Line other) {
            return new Line(
                    kernel,
                    line,
                    text,
                    opcode,
                    executions + other.executions,
                    divergent + other.divergent,
                    wavefronts + other.wavefronts,
                    idealWavefronts + other.idealWavefronts,
                    sectors + other.sectors,
                    idealSectors + other.idealSectors);
        }
    }

    /** An instruction of a kernel; its number tells copies of one line apart. */
    private record Place(String kernel, int number) {}

    private final Map<Place, Line> lines;
    private final Map<String, Long> mma;
    private final long bytesRead;
    private final long bytesWritten;
    private final long asyncBytes;

    private LaunchCounters(
            Map<Place, Line> lines, Map<String, Long> mma, long bytesRead, long bytesWritten, long asyncBytes) {
        this.lines = lines;
        this.mma = mma;
        this.bytesRead = bytesRead;
        this.bytesWritten = bytesWritten;
        this.asyncBytes = asyncBytes;
    }

    static LaunchCounters of(KernelCode code, KernelCounters counters) {
        Map<Place, Line> lines = new LinkedHashMap<>();
        Map<String, Long> mma = new TreeMap<>();
        Instruction[] instructions = code.instructions();
        for (int i = 0; i < instructions.length; i++) {
            if (counters.executions[i] == 0) {
                continue;
            }
            Instruction instruction = instructions[i];
            lines.put(
                    new Place(code.kernel(), i),
                    new Line(
                            code.kernel(),
                            instruction.line(),
                            instruction.text(),
                            instruction.opcode(),
                            counters.executions[i],
                            counters.divergent[i],
                            counters.wavefronts[i],
                            counters.idealWavefronts[i],
                            counters.sectors[i],
                            counters.idealSectors[i]));
            if (instruction.operation() instanceof TensorOps.Mma product) {
                mma.merge(product.shape().toString(), counters.executions[i], Long::sum);
            }
        }
        return new LaunchCounters(lines, mma, counters.bytesRead, counters.bytesWritten, counters.asyncBytes);
    }

    /** Nothing yet, to add to. */
    public static LaunchCounters none() {
        return new LaunchCounters(Map.of(), Map.of(), 0, 0, 0);
    }

    /** Warp instructions. */
    public long instructions() {
        return lines.values().stream().mapToLong(Line::executions).sum();
    }

    /** Warp instructions that ran while other lanes of the warp, not yet exited, were elsewhere. */
    public long divergent() {
        return lines.values().stream().mapToLong(Line::divergent).sum();
    }

    /** Warp instructions by opcode with its modifiers, as in ld.global.nc.v4.u32. */
    public Map<String, Long> byOpcode() {
        Map<String, Long> counts = new TreeMap<>();
        lines.values().forEach(line -> counts.merge(line.opcode(), line.executions(), Long::sum));
        return counts;
    }

    /** Tensor core products of a warp, by shape, as in mma.sp.m16n8k128.s4.s4.s32. */
    public Map<String, Long> mmaByShape() {
        return new TreeMap<>(mma);
    }

    /** Tensor core products of a warp. */
    public long mma() {
        return mma.values().stream().mapToLong(Long::longValue).sum();
    }

    /** Barriers of blocks that a warp arrived at. */
    public long barriers() {
        return executions("bar.", "barrier.") - executions("bar.warp.");
    }

    private long executions(String... prefixes) {
        return lines.values().stream()
                .filter(line -> begins(line, prefixes))
                .mapToLong(Line::executions)
                .sum();
    }

    private static boolean begins(Line line, String... prefixes) {
        for (String prefix : prefixes) {
            if (line.opcode().startsWith(prefix)) {
                return true;
            }
        }
        return false;
    }

    public long sharedWavefronts() {
        return lines.values().stream().mapToLong(Line::wavefronts).sum();
    }

    public long idealSharedWavefronts() {
        return lines.values().stream().mapToLong(Line::idealWavefronts).sum();
    }

    /** Of loads and cp.async. */
    public long globalLoadSectors() {
        return lines.values().stream()
                .filter(LaunchCounters::loads)
                .mapToLong(Line::sectors)
                .sum();
    }

    public long idealGlobalLoadSectors() {
        return lines.values().stream()
                .filter(LaunchCounters::loads)
                .mapToLong(Line::idealSectors)
                .sum();
    }

    /** Of stores and atomic updates. */
    public long globalStoreSectors() {
        return lines.values().stream()
                .filter(line -> !loads(line))
                .mapToLong(Line::sectors)
                .sum();
    }

    public long idealGlobalStoreSectors() {
        return lines.values().stream()
                .filter(line -> !loads(line))
                .mapToLong(Line::idealSectors)
                .sum();
    }

    private static boolean loads(Line line) {
        return begins(line, "ld", "cp.");
    }

    /** Bytes that lanes read from global memory, those by cp.async too. */
    public long globalBytesRead() {
        return bytesRead;
    }

    public long globalBytesWritten() {
        return bytesWritten;
    }

    /** Bytes that cp.async wrote to shared memory. */
    public long asyncBytes() {
        return asyncBytes;
    }

    /** The instructions with the most wavefronts and sectors beyond the ideal, the worst first; those without any are left out. */
    public List<Line> worst(int most) {
        return lines.values().stream()
                .filter(line -> line.excess() > 0)
                .sorted(Comparator.comparingLong(Line::excess).reversed().thenComparingInt(Line::line))
                .limit(most)
                .toList();
    }

    /** All instructions that ran, in their order. */
    public List<Line> lines() {
        return new ArrayList<>(lines.values());
    }

    /** Both launches together. */
    public LaunchCounters plus(LaunchCounters other) {
        Map<Place, Line> both = new LinkedHashMap<>(lines);
        other.lines.forEach((place, line) -> both.merge(place, line, Line::plus));
        Map<String, Long> products = new TreeMap<>(mma);
        other.mma.forEach((shape, count) -> products.merge(shape, count, Long::sum));
        return new LaunchCounters(
                both,
                products,
                bytesRead + other.bytesRead,
                bytesWritten + other.bytesWritten,
                asyncBytes + other.asyncBytes);
    }

    /** One line with the sums. */
    @Override
    public String toString() {
        return instructions() + " warp instructions (" + divergent() + " diverged), " + mma() + " mma, " + barriers()
                + " barriers, shared wavefronts " + sharedWavefronts() + " (ideal " + idealSharedWavefronts()
                + "), load sectors " + globalLoadSectors() + " (" + idealGlobalLoadSectors() + "), store sectors "
                + globalStoreSectors() + " (" + idealGlobalStoreSectors() + ")";
    }
}
