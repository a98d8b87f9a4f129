package dev.obr.runtime.gpu;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.linear.HalfGemm;
import dev.obr.kernels.gpu.linear.HalfNorm;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import dev.obr.kernels.gpu.tokens.Argmax;
import dev.obr.models.ModelConfig;

/** The end of a step: logits = Whead norm(x) in half floats, whose sums are floats, and the token of the largest. */
final class GpuHead {
    private final ModelConfig config;
    private final GpuMemory normWeight;
    private final GpuMemory table;
    private final HalfNorm norm;
    private final HalfGemm product;
    private final Argmax argmax;

    /**
     * @param normWeight float32 [hidden]
     * @param table fp16 [rows, hidden], of at least the vocabulary's rows
     */
    GpuHead(GpuDevice device, ModelConfig config, GpuMemory normWeight, GpuMemory table) {
        this.config = config;
        this.normWeight = normWeight;
        this.table = table;
        norm = new HalfNorm(device);
        product = new HalfGemm(device, HalfGemm.Output.F32);
        argmax = new Argmax(device, NormQuantizer.Input.F32);
    }

    /**
     * Queues logits and likeliest tokens behind {@code tokens} tokens of the step.
     *
     * @param first of them
     */
    void run(GpuStream stream, GpuActivations a, int first, int tokens) {
        int hidden = config.hiddenSize();
        int rows = GpuUpload.tableRows(config.vocabularySize());
        Rows x = new Rows(a.residual(), (long) first * hidden, hidden);
        norm.normalize(stream, x, normWeight, config.rmsNormEpsilon(), tokens, hidden, a.normed());
        product.multiply(stream, table, a.normed(), tokens, rows, hidden, a.logits());
        argmax.find(stream, Rows.of(a.logits(), rows), tokens, config.vocabularySize(), a.likeliest());
    }
}
