package dev.obr.runtime.gpu;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.hadamard.HadamardQuantizer;
import dev.obr.kernels.gpu.linear.InputOrder;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import dev.obr.kernels.gpu.linear.SparseGemm;
import dev.obr.kernels.gpu.linear.TokenLayout;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.packed.Pattern;
import dev.obr.kernels.quantize.ActivationQuantizer;
import dev.obr.models.ModelConfig;
import dev.obr.models.OnlineRotation;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How the linear layers of a model compute with activations of so many bits: codes of their inputs, and the products. */
final class LayerKernels {
    private final ModelConfig config;
    private final ActivationQuantizer quantizer;
    private final TokenLayout layout;
    private final NormQuantizer norm;
    private final @Nullable HadamardQuantizer heads;
    private final @Nullable NormQuantizer plainHeads;
    private final HadamardQuantizer activated;
    private final Map<Pattern, SparseGemm> products = new EnumMap<>(Pattern.class);

    /**
     * @param layout in which codes lie: of 4 bits where all patterns have products of those
     * @param patterns of the model's weights
     */
    LayerKernels(
            GpuDevice device,
            GpuStream stream,
            ModelConfig config,
            OnlineRotation rotation,
            ActivationQuantizer quantizer,
            TokenLayout layout,
            Set<Pattern> patterns) {
        this.config = config;
        this.quantizer = quantizer;
        this.layout = layout;
        norm = new NormQuantizer(device, NormQuantizer.Input.F16, layout);
        heads = rotation.headsInput()
                ? new HadamardQuantizer(
                        device, stream, NormQuantizer.Input.F32, layout, transform(config.heads()), config.headDim())
                : null;
        plainHeads = heads == null ? new NormQuantizer(device, NormQuantizer.Input.F32, layout) : null;
        boolean down = rotation.downInput();
        activated = new HadamardQuantizer(
                device,
                stream,
                NormQuantizer.Input.F16,
                layout,
                transform(down ? config.intermediateSize() : 1),
                down ? 1 : config.intermediateSize());
        for (Pattern pattern : patterns) {
            products.put(pattern, new SparseGemm(device, pattern, layout));
        }
    }

    /** {@code A8 as s8}: bits of activations, and of the integers that tensor cores multiply. */
    String description() {
        return "A" + quantizer.bits() + " as s" + layout.bits();
    }

    private static HadamardTransform transform(int n) {
        return HadamardTransform.of(n).orElseThrow();
    }

    /** codes(norm(x)) of the residual stream. */
    void codeNormed(GpuStream stream, GpuActivations a, GpuMemory weight, @Nullable InputOrder order, int tokens) {
        norm.quantize(
                stream,
                quantizer,
                a.residual(),
                weight,
                config.rmsNormEpsilon(),
                tokens,
                config.hiddenSize(),
                order,
                a.codes(),
                a.scales());
    }

    /** codes([R across heads] m) of the mixed heads. */
    void codeMixed(GpuStream stream, GpuActivations a, @Nullable InputOrder order, int tokens) {
        if (heads != null) {
            Rows mixed = Rows.of(a.mixed(), config.queryWidth());
            heads.quantize(stream, quantizer, null, mixed, tokens, order, a.codes(), a.scales());
        } else {
            Objects.requireNonNull(plainHeads)
                    .quantize(
                            stream,
                            quantizer,
                            a.mixed(),
                            null,
                            0,
                            tokens,
                            config.queryWidth(),
                            order,
                            a.codes(),
                            a.scales());
        }
    }

    /** codes([R] (silu(gate) · up)). */
    void codeActivated(GpuStream stream, GpuActivations a, Rows gate, Rows up, @Nullable InputOrder order, int tokens) {
        activated.quantize(stream, quantizer, gate, up, tokens, order, a.codes(), a.scales());
    }

    /** y = W codes + bias; y may be the residual, too. */
    void multiply(
            GpuStream stream,
            GpuActivations a,
            GpuLinear linear,
            int tokens,
            @Nullable GpuMemory residual,
            GpuMemory y) {
        Objects.requireNonNull(products.get(linear.weight().pattern()))
                .multiply(stream, linear.weight(), a.codes(), a.scales(), tokens, linear.bias(), residual, y);
    }
}
