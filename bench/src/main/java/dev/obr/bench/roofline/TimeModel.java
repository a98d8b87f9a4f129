package dev.obr.bench.roofline;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The time of a launch from what its blocks do.
 *
 * <pre>
 *   cycles of a block   = the most of    tensor   products · cycles of each / 4 tensor cores
 *                                        issue    warp instructions / 4 schedulers
 *                                        shared   wavefronts, 128 bytes each
 *                                        L2       sectors · 32 bytes / the multiprocessor's share of L2's bytes a cycle
 *
 *   a multiprocessor with one block at a time     latency + blocks in turn · (cycles of its steps + cycles of its beginning and end) + latency for each further one
 *                    with several                 latency + the most of (all its blocks' tensor cycles, their issue cycles, ..)
 *
 *   launch = the most of    the busiest multiprocessor    |    latency + bytes of memory / its bytes a cycle
 * </pre>
 *
 * <p>Blocks go to whichever multiprocessor has room, so the busiest one makes the grid's full waves and its part of the last one. Bytes of memory are each operand and result once: what several blocks read
 * again comes from L2. Latency is the way to memory and back; with one block at a time nothing hides it.
 *
 * <p>Not modelled: waiting for results of earlier instructions, barriers, units that are narrower than a scheduler (conversions, half of the integer lanes), L2 misses of what is read again, rows of memory, power, the gap between two
 * launches. 20 to 40 % of error are to be expected.
 */
final class TimeModel {
    private static final int TENSOR_CORES = 4; // of a multiprocessor, as schedulers
    private static final double LATENCY = 600e-9; // of memory under load

    private static final Pattern SHAPE = Pattern.compile(
            "mma(\\.sp)?(?:::\\w+)?\\.m(\\d+)n(\\d+)k(\\d+)\\.(?:\\w+\\.)?([a-z]+\\d+)\\.([a-z]+\\d+)(\\.[a-z]+\\d+)?");

    private TimeModel() {}

    static Modelled time(Gpu gpu, Work work) {
        int resident = Occupancy.resident(gpu, work.threads(), work.registers(), work.sharedBytes());
        long inTurn = inTurn(work.blocks(), gpu.multiprocessors(), resident);
        double latency = LATENCY * gpu.hertz();
        Map<Bound, Double> steps = cycles(gpu, work.steps());
        Map<Bound, Double> fixed = cycles(gpu, work.fixed());
        Map<Bound, Double> block = new EnumMap<>(steps);
        fixed.forEach((bound, cycles) -> block.merge(bound, cycles, Double::sum));
        boolean alone = Math.min(resident, inTurn) == 1;
        double busiest = alone ? inTurn * (latency + most(steps) + most(fixed)) : latency + inTurn * most(block);
        double memory = work.dramBytes() / gpu.dramBytes();
        Bound bound = memory + latency > busiest ? Bound.DRAM : largest(block);
        double waiting = alone && bound != Bound.DRAM ? inTurn * latency : latency;
        double cycles = Math.max(busiest, memory + latency);
        if (waiting > cycles / 2) {
            bound = Bound.LATENCY;
        }
        Counts all = work.block().times((double) work.blocks());
        return new Modelled(
                work.kernel(),
                work.blocks(),
                resident,
                inTurn,
                cycles / gpu.hertz(),
                bound,
                work.operations(),
                work.dramBytes(),
                all.l2Bytes(),
                all.wavefronts(),
                TENSOR_CORES * cycles(gpu, all).getOrDefault(Bound.TENSOR, 0.0),
                all.instructions(),
                (double) work.blocks() / (inTurn * gpu.multiprocessors()));
    }

    /** Blocks that the busiest multiprocessor makes: its full waves, and its part of the last one. */
    static long inTurn(long blocks, int multiprocessors, int resident) {
        long wave = (long) multiprocessors * resident;
        return blocks / wave * resident + Math.ceilDiv(blocks % wave, multiprocessors);
    }

    /** Cycles of a multiprocessor that does nothing else. */
    static Map<Bound, Double> cycles(Gpu gpu, Counts counts) {
        Map<Bound, Double> cycles = new EnumMap<>(Bound.class);
        double tensor = 0;
        for (Map.Entry<String, Double> product : counts.products().entrySet()) {
            tensor += product.getValue() * cyclesOfProduct(gpu, product.getKey());
        }
        cycles.put(Bound.TENSOR, tensor / TENSOR_CORES);
        cycles.put(Bound.ISSUE, counts.instructions() / TENSOR_CORES);
        cycles.put(Bound.SHARED, counts.wavefronts());
        cycles.put(Bound.L2, counts.l2Bytes() / gpu.l2Share());
        return cycles;
    }

    /** Of one tensor core. */
    static double cyclesOfProduct(Gpu gpu, String shape) {
        Matcher of = SHAPE.matcher(shape);
        if (!of.matches()) {
            throw new IllegalArgumentException("no rate is known of " + shape);
        }
        double products = 1;
        for (int i = 2; i <= 4; i++) {
            products *= Integer.parseInt(of.group(i));
        }
        int ofMultiprocessor = switch (of.group(5)) {
            case "s4", "u4" -> gpu.int4Products();
            case "s8", "u8" -> gpu.int8Products();
            default -> gpu.halfProducts();
        };
        double rate = ofMultiprocessor / (double) TENSOR_CORES * gpu.warpShare() * (of.group(1) == null ? 1 : 2);
        return products / rate;
    }

    private static double most(Map<Bound, Double> cycles) {
        return Collections.max(cycles.values());
    }

    private static Bound largest(Map<Bound, Double> cycles) {
        return cycles.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .orElseThrow()
                .getKey();
    }
}
