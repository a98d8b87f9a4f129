package dev.obr.bench.roofline;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.attention.KvAttention;
import dev.obr.kernels.gpu.attention.KvCodeCache;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import dev.obr.models.ModelConfig;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Attention of a layer's step: of tokens of sequences of their own, or of whole prompts, each with a launch of its own.
 *
 * @param tokens of all sequences
 * @param context positions of a sequence
 */
record Attention(ModelConfig model, int tokens, int context) {
    private static final int SPLIT = KvAttention.SPLIT;
    private static final int WARP_POSITIONS = 64; // that a warp takes at once, and leaves sums of
    private static final String MERGE = "merge";

    /** Prompts of at most {@code context} tokens. */
    static int prompts(int tokens, int context) {
        return Math.ceilDiv(tokens, context);
    }

    /** Of one position, keys or values: codes and steps. */
    static long cacheBytes(ModelConfig model) {
        return model.kvHeads() * (model.headDim() / 2 + 4L);
    }

    private boolean decodes() {
        return tokens < context;
    }

    /** Times that it is launched: once for tokens of sequences of their own. */
    int times() {
        return decodes() ? 1 : prompts(tokens, context);
    }

    /** Tokens of one launch. */
    private int launchTokens() {
        return Math.ceilDiv(tokens, times());
    }

    private int splits() {
        return Math.ceilDiv(context, SPLIT);
    }

    private int group() {
        return model.heads() / model.kvHeads();
    }

    /** Equal where a block of some number of splits does the same. */
    Object key() {
        return List.of(decodes(), group(), model.headDim());
    }

    /** One of the launches, or the two of tokens of their own. */
    Launches launches() {
        return launches(model.kvHeads(), launchTokens(), decodes() ? splits() * SPLIT : launchTokens());
    }

    private Launches launches(int kvHeads, int count, int positions) {
        int width = kvHeads * group() * model.headDim();
        int capacity = Math.ceilDiv(positions, 8) * 8;
        int slots = decodes() ? count : 1;
        return (device, stream) -> {
            GpuMemory q = Launches.activations(device, stream, 4L * count * width);
            GpuMemory y = device.allocate(4L * count * width);
            GpuMemory places = device.allocate(8L * count);
            KvCodeCache cache = new KvCodeCache(device, slots, kvHeads, model.headDim(), capacity);
            KvAttention attention = new KvAttention(
                    device,
                    NormQuantizer.Input.F32,
                    kvHeads * group(),
                    kvHeads,
                    model.headDim(),
                    capacity,
                    decodes() ? count : 1);
            stream.copyIn(MemorySegment.ofArray(places(count, positions)), places, 0);
            if (decodes()) {
                attention.decode(stream, q, places, count, positions, cache, y);
            } else {
                attention.prefill(stream, q, places, count, cache, y);
            }
        };
    }

    /** Slot and position: all at the last one, or the last ones of one sequence. */
    private int[] places(int count, int positions) {
        int[] places = new int[2 * count];
        for (int i = 0; i < count; i++) {
            places[2 * i] = decodes() ? i : 0;
            places[2 * i + 1] = decodes() ? positions - 1 : positions - count + i;
        }
        return places;
    }

    /** What a block of each kernel does by the splits that it takes, counted of one KV head. The assembler unrolled loops over them: by twos or fours they are whole. */
    Map<String, BlockCost> costs(Sampler sampler, int tileTokens) {
        int unit = decodes() ? 4 : 2;
        List<Map<String, Counts>> counted = Stream.of(1, 2, 3)
                .map(round -> sampler.allBlocks(launches(1, decodes() ? 1 : tileTokens, round * unit * SPLIT)))
                .toList();
        Map<String, BlockCost> costs = new HashMap<>();
        for (String kernel : counted.getFirst().keySet()) {
            int blocks = kernel.contains(MERGE) ? group() : 1; // of one KV head: a block a query head adds up splits
            List<BlockCost.Sample> samples = new ArrayList<>();
            for (Map<String, Counts> round : counted) {
                Counts counts = Objects.requireNonNull(round.get(kernel));
                samples.add(new BlockCost.Sample((samples.size() + 1) * unit, counts.times(1.0 / blocks)));
            }
            BlockCost cost = BlockCost.through(samples.get(0), samples.get(1), samples.get(2))
                    .orElseThrow(() ->
                            new IllegalStateException("what a block of " + kernel + " does is no line over splits"));
            costs.put(kernel, cost);
        }
        return costs;
    }

    /** Consecutive tokens that a block of a prompt takes; 1 of tokens of their own. */
    int tileTokens(PaperDevice.Noted launch) {
        return decodes()
                ? 1
                : Math.ceilDiv(launchTokens(), launch.shape().grid().y());
    }

    /** Splits that a block of the launch takes, on average. */
    double splitsOfBlock(PaperDevice.Noted launch) {
        if (decodes()) {
            return launch.kernel().contains(MERGE) ? splits() : 1;
        }
        return (launchTokens() + tileTokens(launch) + WARP_POSITIONS) / 2.0 / SPLIT;
    }

    /** Queries, keys and values once, and what comes out. */
    double dramBytes(PaperDevice.Noted launch) {
        double row = 4.0 * model.heads() * model.headDim();
        if (!decodes()) {
            return launchTokens() * (2 * row + 2 * cacheBytes(model));
        }
        double sums = (double) tokens * Math.ceilDiv(context, WARP_POSITIONS) * (row + 16.0 * model.heads());
        return sums + tokens * (launch.kernel().contains(MERGE) ? row : row + 2.0 * context * cacheBytes(model));
    }
}
