package dev.obr.bench.roofline;

import dev.obr.kernels.emulator.EmulatedDevice;
import dev.obr.kernels.emulator.EmulatedDeviceOptions;
import dev.obr.kernels.emulator.EmulatorOptions;
import dev.obr.kernels.emulator.LaunchCounters;
import dev.obr.kernels.emulator.PtxModule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.linear.SparseFragments;
import java.util.HashMap;
import java.util.Map;

/** Models launches. What a kernel's block does is counted once, on first use, and then serves all GPUs: they run the same PTX. */
public final class Roofline {
    private static final int MOST_SAMPLED_TOKENS = 2048; // from there on tiles are the largest
    private static final int SAMPLED_FEATURES = 256; // of the largest tile
    private static final int SAMPLED_STEPS = 32; // all warps' rounds of the kernels for few tokens are whole

    private final Map<String, PtxModule> parsed = new HashMap<>();
    private final Map<Product, BlockCost> products = new HashMap<>();
    private final KernelRegisters registers = KernelRegisters.load();

    /**
     * The product of a linear layer.
     *
     * @param tokens rows of activations
     * @param features output channels
     * @param columns input channels
     */
    public Modelled product(Gpu gpu, ProductKernel kernel, int tokens, int features, int columns) {
        return product(gpu, new Product(kernel, tokens, features, columns, false));
    }

    Modelled product(Gpu gpu, Product product) {
        try (PaperDevice paper = new PaperDevice(gpu, parsed);
                GpuStream stream = paper.newStream()) {
            product.launch(paper, stream, false);
            PaperDevice.Noted launch = paper.takeLaunches().getFirst();
            BlockCost cost = cost(product, launch.kernel());
            double steps = (double) product.columns() / SparseFragments.STEP;
            return TimeModel.time(
                    gpu,
                    new Work(
                            launch.kernel(),
                            launch.shape().grid().count(),
                            (int) launch.shape().block().count(),
                            registers.of(launch.kernel(), gpu.capability()),
                            launch.sharedBytes(),
                            cost.fixed(),
                            cost.step().times(steps),
                            product.dramBytes(),
                            product.operations()));
        }
    }

    /** What a block of the product's kernel does, by counting with three numbers of steps. */
    private BlockCost cost(Product product, String kernel) {
        int tokens = Math.min(product.tokens(), MOST_SAMPLED_TOKENS);
        Product key = new Product(product.kernel(), tokens, SAMPLED_FEATURES, 1, product.residual(), product.output());
        return products.computeIfAbsent(
                key,
                sampled -> BlockCost.through(
                        kernel, sample(sampled, kernel, 1), sample(sampled, kernel, 2), sample(sampled, kernel, 3)));
    }

    private static BlockCost.Sample sample(Product key, String kernel, int rounds) {
        int steps = rounds * SAMPLED_STEPS;
        Product product = new Product(
                key.kernel(),
                key.tokens(),
                key.features(),
                steps * SparseFragments.STEP,
                key.residual(),
                key.output());
        EmulatorOptions options = EmulatorOptions.checked().withCheck(false);
        try (EmulatedDevice device = new EmulatedDevice(
                        EmulatedDeviceOptions.checked(ComputeCapability.SM_80).withEmulator(options));
                GpuStream stream = new FirstBlockStream(device.newStream())) {
            product.launch(device, stream, true);
            LaunchCounters counters = device.counters().get(kernel);
            if (counters == null) {
                throw new IllegalStateException("a sample of " + kernel + " ran " + device.counters().keySet());
            }
            return new BlockCost.Sample(steps, Counts.of(counters));
        }
    }
}
