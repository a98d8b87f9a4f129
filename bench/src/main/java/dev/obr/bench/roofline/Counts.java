package dev.obr.bench.roofline;

import dev.obr.kernels.emulator.LaunchCounters;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.DoubleBinaryOperator;

/**
 * What thread blocks do, as the emulator counts it; parts of a block too, hence no whole numbers.
 *
 * @param instructions of warps
 * @param wavefronts of shared memory, those that copies from global memory write included
 * @param loadedBytes of global memory, in whole sectors of 32 bytes, each as often as it is asked for
 * @param storedBytes the same of stores
 * @param products of tensor cores, by shape as in mma.sp.m16n8k128.s4.s4.s32
 */
record Counts(
        double instructions, double wavefronts, double loadedBytes, double storedBytes, Map<String, Double> products) {
    private static final int SECTOR = 32;

    static final Counts NONE = new Counts(0, 0, 0, 0, Map.of());

    Counts {
        products = Map.copyOf(products);
    }

    static Counts of(LaunchCounters counters) {
        Map<String, Double> products = new TreeMap<>();
        counters.mmaByShape().forEach((shape, count) -> products.put(shape, (double) count));
        return new Counts(
                counters.instructions(),
                counters.sharedWavefronts(),
                (double) SECTOR * counters.globalLoadSectors(),
                (double) SECTOR * counters.globalStoreSectors(),
                products);
    }

    Counts plus(Counts other) {
        return with(other, Double::sum);
    }

    Counts minus(Counts other) {
        return with(other, (a, b) -> a - b);
    }

    Counts times(double factor) {
        return with(NONE, (a, zero) -> a * factor);
    }

    private Counts with(Counts other, DoubleBinaryOperator operator) {
        Map<String, Double> both = new TreeMap<>();
        products.keySet().forEach(shape -> both.put(shape, 0.0));
        other.products.keySet().forEach(shape -> both.put(shape, 0.0));
        both.replaceAll((shape, zero) ->
                operator.applyAsDouble(products.getOrDefault(shape, 0.0), other.products.getOrDefault(shape, 0.0)));
        return new Counts(
                operator.applyAsDouble(instructions, other.instructions),
                operator.applyAsDouble(wavefronts, other.wavefronts),
                operator.applyAsDouble(loadedBytes, other.loadedBytes),
                operator.applyAsDouble(storedBytes, other.storedBytes),
                both);
    }

    /** Between L2 and the multiprocessor, both ways. */
    double l2Bytes() {
        return loadedBytes + storedBytes;
    }
}
