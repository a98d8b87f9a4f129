package dev.obr.runtime.gpu;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.linear.CodeGemm;
import dev.obr.kernels.gpu.linear.CodeWeights;
import dev.obr.kernels.gpu.linear.HalfGemm;
import dev.obr.kernels.gpu.linear.HalfNorm;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import dev.obr.kernels.gpu.tokens.Argmax;
import dev.obr.models.ModelConfig;

/** The end of a step: logits = Whead norm(x) of half floats, whose sums are floats, and the token of the largest. */
final class GpuHead {
    private final ModelConfig config;
    private final GpuMemory normWeight;
    private final int stride;
    private final Product product;
    private final HalfNorm norm;
    private final Argmax argmax;

    /** y float32 [tokens, stride] = Whead x, x fp16 [tokens, hidden]. */
    private interface Product {
        void multiply(GpuStream stream, GpuMemory x, int tokens, GpuMemory y);
    }

    private GpuHead(GpuDevice device, ModelConfig config, GpuMemory normWeight, int stride, Product product) {
        this.config = config;
        this.normWeight = normWeight;
        this.stride = stride;
        this.product = product;
        norm = new HalfNorm(device);
        argmax = new Argmax(device, NormQuantizer.Input.F32);
    }

    /**
     * A head of half floats, such as the embedding.
     *
     * @param normWeight float32 [hidden]
     * @param table fp16 [{@link GpuUpload#tableRows}, hidden]
     */
    static GpuHead of(GpuDevice device, ModelConfig config, GpuMemory normWeight, GpuMemory table) {
        int rows = GpuUpload.tableRows(config.vocabularySize());
        HalfGemm product = new HalfGemm(device, HalfGemm.Output.F32);
        return new GpuHead(
                device,
                config,
                normWeight,
                rows,
                (stream, x, tokens, y) -> product.multiply(stream, table, x, tokens, rows, config.hiddenSize(), y));
    }

    /** A packed head, multiplied as its codes lie. */
    static GpuHead of(GpuDevice device, ModelConfig config, GpuMemory normWeight, CodeWeights weight) {
        CodeGemm product = new CodeGemm(device, weight.bits());
        return new GpuHead(
                device,
                config,
                normWeight,
                weight.features(),
                (stream, x, tokens, y) -> product.multiply(stream, weight, x, tokens, y));
    }

    /** Logits from one row to the next, those of the vocabulary first. */
    int stride() {
        return stride;
    }

    /**
     * Queues logits and likeliest tokens behind {@code tokens} tokens of the step.
     *
     * @param first of them
     */
    void run(GpuStream stream, GpuActivations a, int first, int tokens) {
        int hidden = config.hiddenSize();
        Rows x = new Rows(a.residual(), (long) first * hidden, hidden);
        norm.normalize(stream, x, normWeight, config.rmsNormEpsilon(), tokens, hidden, a.normed());
        product.multiply(stream, a.normed(), tokens, a.logits());
        argmax.find(stream, Rows.of(a.logits(), stride), tokens, config.vocabularySize(), a.likeliest());
    }
}
