package dev.obr.bench.gemm;

import dev.obr.bench.gpu.EventStopwatch;
import dev.obr.bench.gpu.Interleaved;
import dev.obr.bench.gpu.ProductBench;
import dev.obr.bench.gpu.ProductRow;
import dev.obr.bench.gpu.Rival;
import dev.obr.kernels.gpu.GpuDevice;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The products of one shape by a GPU's kernels, timed by its events. */
final class DeviceProducts implements GemmProducts {
    /** What part of the free memory allocations get at least: they come in pages, and the driver takes some. */
    static final double USABLE = 0.95;

    private static final double WARM_UP = 0.2; // of the time
    private static final double MOST_WARM_UP = 1;
    private static final int FEW_REPETITIONS = 7;
    private static final int REPETITIONS = 21;

    private final GpuDevice device;
    private final List<Rival> rivals;
    private final ProductBench bench;
    private final Consumer<String> refused;
    private int refusals;

    /**
     * Loads the weights.
     *
     * @param rivals which it closes
     * @param refused hears what a rival does not multiply
     */
    DeviceProducts(
            GpuDevice device,
            ProductBench.@Nullable Library cublas,
            List<Rival> rivals,
            GemmShape shape,
            long rotatedBytes,
            Consumer<String> refused) {
        this.device = device;
        this.rivals = rivals;
        this.refused = refused;
        this.bench = new ProductBench(device, cublas, rivals, shape.features(), shape.columns(), rotatedBytes);
    }

    @Override
    public Optional<String> refusal(int tokens) {
        long bytes = bench.activationBytes(tokens);
        long free = device.freeBytes();
        return bytes <= free * USABLE
                ? Optional.empty()
                : Optional.of(String.format(
                        Locale.ROOT,
                        "activations and results take %.1f GB of the GPU's memory, and %.1f GB are free",
                        bytes / 1e9,
                        free / 1e9));
    }

    @Override
    public List<ProductRow> measure(int tokens, double seconds) {
        int repetitions = seconds < MOST_WARM_UP ? FEW_REPETITIONS : REPETITIONS;
        try (EventStopwatch stopwatch = new EventStopwatch(device)) {
            return bench.measure(
                    new Interleaved<>(stopwatch, Math.min(MOST_WARM_UP, WARM_UP * seconds), repetitions), tokens);
        } finally {
            List<String> all = bench.refusals();
            all.subList(refusals, all.size()).forEach(refused);
            refusals = all.size();
        }
    }

    @Override
    public void close() {
        bench.close();
        rivals.forEach(Rival::close);
    }
}
