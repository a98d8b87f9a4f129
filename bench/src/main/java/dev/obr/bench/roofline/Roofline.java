package dev.obr.bench.roofline;

import dev.obr.kernels.gpu.KernelRegisters;
import dev.obr.kernels.gpu.linear.SparseFragments;
import dev.obr.models.ModelConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Models launches. What a kernel's block does is counted once, on first use, and then serves all GPUs: they run the same PTX. */
public final class Roofline {
    private static final int MOST_SAMPLED_TOKENS = 2048; // from there on tiles are the largest
    private static final int SAMPLED_FEATURES = 256; // of the largest tile

    /** Steps of the first sample: of kernels whose warps share the steps, 32 are a round of all. */
    private static final List<Integer> SAMPLED_STEPS = List.of(8, 32);

    private final Sampler sampler = new Sampler();
    private final Map<Product, BlockCost> products = new HashMap<>();
    private final Map<Object, Map<String, BlockCost>> attentions = new HashMap<>();
    private final Map<Object, Counts> tokenCounts = new HashMap<>();
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
        return product(gpu, product, 1);
    }

    /** The product of so many times the tokens, in the blocks that are made for these. */
    Modelled product(Gpu gpu, Product product, int times) {
        PaperDevice.Noted launch = sampler.onPaper(gpu, product.launches(true)).getFirst();
        BlockCost cost = cost(product, launch.kernel());
        Product whole = product.withTokens(times * product.tokens());
        int sharing =
                launch.shape().grid().z(); // blocks that share a tile's columns; how their sums meet is not counted
        return model(
                gpu,
                launch,
                times * launch.shape().grid().count(),
                cost.fixed(),
                cost.step().times((double) product.columns() / SparseFragments.STEP / sharing),
                (double) whole.dramBytes(),
                whole.operations());
    }

    /** What a block of the product's kernel does. */
    BlockCost cost(Gpu gpu, Product product) {
        return cost(
                product, sampler.onPaper(gpu, product.launches(true)).getFirst().kernel());
    }

    /** What a block of the product's kernel does, by counting with three numbers of steps. */
    private BlockCost cost(Product product, String kernel) {
        Product key = product.withTokens(Math.min(product.tokens(), MOST_SAMPLED_TOKENS))
                .withWeight(SAMPLED_FEATURES, 1);
        return products.computeIfAbsent(key, sampled -> {
            for (int steps : SAMPLED_STEPS) {
                Optional<BlockCost> cost = BlockCost.through(
                        sample(sampled, kernel, steps),
                        sample(sampled, kernel, 2 * steps),
                        sample(sampled, kernel, 3 * steps));
                if (cost.isPresent()) {
                    return cost.get();
                }
            }
            throw new IllegalStateException("what a block of " + kernel + " does is no line over its steps");
        });
    }

    private BlockCost.Sample sample(Product key, String kernel, int steps) {
        Product product = key.withWeight(key.features(), steps * SparseFragments.STEP);
        return new BlockCost.Sample(steps, of(kernel, sampler.firstBlocks(product.launches(false))));
    }

    private static Counts of(String kernel, Map<String, Counts> counted) {
        Counts counts = counted.get(kernel);
        if (counts == null) {
            throw new IllegalStateException("a sample of " + kernel + " ran " + counted.keySet());
        }
        return counts;
    }

    private Modelled model(
            Gpu gpu,
            PaperDevice.Noted launch,
            long blocks,
            Counts fixed,
            Counts steps,
            double dramBytes,
            double operations) {
        return TimeModel.time(
                gpu,
                new Work(
                        launch.kernel(),
                        blocks,
                        (int) launch.shape().block().count(),
                        registers.of(launch.kernel(), gpu.capability()),
                        launch.sharedBytes(),
                        fixed,
                        steps,
                        dramBytes,
                        operations));
    }

    /**
     * A step of a whole model.
     *
     * @param tokens of the step: fewer than the context, of as many sequences, one each; else of whole prompts of that length
     * @param context positions that a sequence's tokens attend to
     */
    public ModelStep step(Gpu gpu, ModelConfig model, ProductKernel kernel, int tokens, int context) {
        Part head = new Part("head", 1, product(gpu, LayerKernels.head(model, tokens, context)));
        return new ModelStep(gpu, model, kernel, tokens, layer(gpu, model, kernel, tokens, context), head);
    }

    /** All launches of a decoder layer; of half floats its products alone, for there are no other kernels of theirs. */
    private List<Part> layer(Gpu gpu, ModelConfig model, ProductKernel kernel, int tokens, int context) {
        List<Part> parts = new ArrayList<>();
        for (LayerKernels.Step step : new LayerKernels(model, kernel, tokens, context).steps()) {
            switch (step) {
                case LayerKernels.Multiply multiply ->
                    parts.add(new Part(multiply.name(), 1, product(gpu, multiply.product())));
                case LayerKernels.ByToken byToken -> parts.add(byToken(gpu, byToken));
                case LayerKernels.Attend attend -> parts.addAll(attention(gpu, attend.attention()));
            }
        }
        return parts;
    }

    /** A launch whose blocks are as many for each token, counted for one of them. */
    private Part byToken(Gpu gpu, LayerKernels.ByToken step) {
        PaperDevice.Noted launch =
                sampler.onPaper(gpu, step.launches(step.tokens())).getFirst();
        PaperDevice.Noted one = sampler.onPaper(gpu, step.launches(1)).getFirst();
        Counts counts = tokenCounts.computeIfAbsent(
                step.key(), key -> of(launch.kernel(), sampler.allBlocks(step.launches(1))));
        Counts block = counts.times(1.0 / one.shape().grid().count());
        long blocks = launch.shape().grid().count();
        return new Part(step.name(), 1, model(gpu, launch, blocks, block, Counts.NONE, step.dramBytes(), 0));
    }

    private List<Part> attention(Gpu gpu, Attention attention) {
        List<PaperDevice.Noted> launches = sampler.onPaper(gpu, attention.launches());
        int tile = attention.tileTokens(launches.getFirst());
        Map<String, BlockCost> costs =
                attentions.computeIfAbsent(attention.key(), key -> attention.costs(sampler, tile));
        List<Part> parts = new ArrayList<>();
        for (PaperDevice.Noted launch : launches) {
            BlockCost cost = Objects.requireNonNull(costs.get(launch.kernel()));
            Counts splits = cost.step().times(attention.splitsOfBlock(launch));
            long blocks = launch.shape().grid().count();
            parts.add(new Part(
                    parts.isEmpty() ? "attention" : "attention, splits",
                    attention.times(),
                    model(gpu, launch, blocks, cost.fixed(), splits, attention.dramBytes(launch), 0)));
        }
        return parts;
    }
}
