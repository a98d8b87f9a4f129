package dev.obr.bench.roofline;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.attention.KvAppender;
import dev.obr.kernels.gpu.attention.KvCodeCache;
import dev.obr.kernels.gpu.hadamard.HadamardQuantizer;
import dev.obr.kernels.gpu.linear.HalfGemm;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import dev.obr.kernels.gpu.linear.TokenLayout;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.quantize.ActivationQuantizer;
import dev.obr.models.ModelConfig;
import java.util.List;
import java.util.Objects;

/**
 * The launches of a decoder layer, in their order: norm and codes, queries, keys and values, rotation and cache, attention, transform across heads and codes, output, norm and codes, gate and up, SiLU, transform and
 * codes, down.
 */
final class LayerKernels {
    private final ModelConfig model;
    private final ProductKernel kernel;
    private final int tokens;
    private final int context;

    LayerKernels(ModelConfig model, ProductKernel kernel, int tokens, int context) {
        this.model = model;
        this.kernel = kernel;
        this.tokens = tokens;
        this.context = context;
    }

    /** A part of a layer. */
    sealed interface Step permits Multiply, ByToken, Attend {}

    /** A product. */
    record Multiply(String name, Product product) implements Step {}

    /** Launches for a number of tokens. */
    @FunctionalInterface
    interface ForTokens {
        Launches of(int tokens);
    }

    /**
     * A launch whose blocks do the same for each token.
     *
     * @param key equal where a block does the same
     * @param tokenBytes of memory, a token
     * @param onceBytes for all of them together
     */
    record ByToken(String name, Object key, ForTokens forTokens, int tokens, long tokenBytes, long onceBytes)
            implements Step {
        Launches launches(int count) {
            return forTokens.of(count);
        }

        double dramBytes() {
            return (double) tokens * tokenBytes + onceBytes;
        }
    }

    /** Attention. */
    record Attend(Attention attention) implements Step {}

    List<Step> steps() {
        int hidden = model.hiddenSize();
        int queries = model.heads() * model.headDim();
        int keys = model.kvHeads() * model.headDim();
        int inner = model.intermediateSize();
        Step qkv = multiply("q, k, v", queries + 2 * keys, hidden, false);
        Step output = multiply("o", hidden, queries, true);
        Step gateUp = multiply("gate, up", 2 * inner, hidden, false);
        Step down = multiply("down", hidden, inner, true);
        if (kernel == ProductKernel.HALF) {
            return List.of(qkv, output, gateUp, down);
        }
        return List.of(
                norm(),
                qkv,
                append(queries, keys),
                new Attend(new Attention(model, tokens, context)),
                transform("transform, codes", model.heads(), model.headDim(), NormQuantizer.Input.F32, false),
                output,
                norm(),
                gateUp,
                transform("silu, transform, codes", inner, 1, NormQuantizer.Input.F16, true),
                down);
    }

    /** The head's product: for each token that a sequence goes on from. */
    static Product head(ModelConfig model, int tokens, int context) {
        int ends = tokens < context ? tokens : Attention.prompts(tokens, context);
        int rows = Math.ceilDiv(model.vocabularySize(), 4) * 4;
        return new Product(ProductKernel.HALF, ends, rows, model.hiddenSize(), false, HalfGemm.Output.F32);
    }

    private Step multiply(String name, int features, int columns, boolean residual) {
        boolean added = residual && kernel != ProductKernel.HALF;
        return new Multiply(name, new Product(kernel, tokens, features, columns, added));
    }

    private TokenLayout layout() {
        return Objects.requireNonNull(kernel.layout());
    }

    /** 4 bits with their clip searched for each token, or 8. */
    private ActivationQuantizer quantizer() {
        return layout() == TokenLayout.INT4
                ? new ActivationQuantizer(4, ActivationQuantizer.SEARCH)
                : new ActivationQuantizer(8, 1);
    }

    private Step norm() {
        int columns = model.hiddenSize();
        TokenLayout layout = layout();
        ActivationQuantizer quantizer = quantizer();
        ForTokens launches = count -> (device, stream) -> new NormQuantizer(device, NormQuantizer.Input.F16, layout)
                .quantize(
                        stream,
                        quantizer,
                        Launches.activations(device, stream, 2L * count * columns),
                        Launches.activations(device, stream, 4L * columns),
                        1e-5f,
                        count,
                        columns,
                        null,
                        device.allocate((long) count * layout.rowBytes(columns)),
                        device.allocate(4L * count));
        long tokenBytes = 2L * columns + layout.rowBytes(columns) + Float.BYTES;
        return new ByToken("norm, codes", List.of("norm", columns, layout), launches, tokens, tokenBytes, 4L * columns);
    }

    private Step transform(String name, int size, int width, NormQuantizer.Input input, boolean gated) {
        HadamardTransform transform = HadamardTransform.of(size)
                .orElseThrow(() -> new ObrException("there is no Hadamard transform of " + size
                        + " components, so that this shape cannot be modelled as a whole"));
        int columns = size * width;
        int stride = gated ? 2 * columns : columns;
        TokenLayout layout = layout();
        ActivationQuantizer quantizer = quantizer();
        ForTokens launches = count -> (device, stream) -> {
            GpuMemory x = Launches.activations(device, stream, (long) input.bytes() * count * stride);
            new HadamardQuantizer(device, stream, input, layout, transform, width)
                    .quantize(
                            stream,
                            quantizer,
                            gated ? new Rows(x, 0, stride) : null,
                            new Rows(x, gated ? columns : 0, stride),
                            count,
                            null,
                            device.allocate((long) count * layout.rowBytes(columns)),
                            device.allocate(4L * count));
        };
        long tokenBytes = (long) input.bytes() * stride + layout.rowBytes(columns) + Float.BYTES;
        return new ByToken(name, List.of(size, width, input, layout, gated), launches, tokens, tokenBytes, 0);
    }

    private Step append(int queries, int keys) {
        int heads = model.heads();
        int kvHeads = model.kvHeads();
        int headDim = model.headDim();
        int row = queries + 2 * keys;
        ForTokens launches = count -> (device, stream) -> {
            int capacity = Math.ceilDiv(count, 8) * 8;
            GpuMemory projected = Launches.activations(device, stream, 2L * count * row);
            new KvAppender(device, headDim)
                    .append(
                            stream,
                            new Rows(projected, 0, row),
                            new Rows(projected, queries, row),
                            new Rows(projected, queries + keys, row),
                            Launches.activations(device, stream, 4L * capacity * headDim),
                            true,
                            Launches.filled(device, stream, 8L * count, 0), // the first slot and position
                            count,
                            heads,
                            device.allocate(4L * count * queries),
                            new KvCodeCache(device, 1, kvHeads, headDim, capacity));
        };
        long tokenBytes = 2L * row + 4L * queries + 4L * headDim + 8 + 2 * Attention.cacheBytes(model);
        return new ByToken(
                "rotation, cache", List.of("append", heads, kvHeads, headDim), launches, tokens, tokenBytes, 0);
    }
}
