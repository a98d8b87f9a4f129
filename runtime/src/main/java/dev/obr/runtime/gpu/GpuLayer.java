package dev.obr.runtime.gpu;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.attention.KvCodeCache;
import dev.obr.models.InputGroup;
import java.util.stream.Stream;

/**
 * One decoder layer on a device: eight launches around attention.
 *
 * <pre>
 *   codes = codes(norm(x));  q | k | v = W codes + b
 *   rope(q), rope(k), [R q, R k per head];  cache += k, v as codes
 *   codes = codes([R across heads] attention(q, cache));  x += Wo codes
 *   codes = codes(norm(x));  gate | up = W codes
 *   codes = codes([R] (silu(gate) · up));  x += Wdown codes
 * </pre>
 *
 * @param inputNorm float32 [hidden], as the other
 * @param attention query, key and value
 * @param feedForward gate and up
 */
record GpuLayer(
        GpuMemory inputNorm,
        GpuLinear attention,
        GpuLinear output,
        GpuMemory postAttentionNorm,
        GpuLinear feedForward,
        GpuLinear down) {
    static GpuLayer upload(GpuUpload upload, int index) {
        String prefix = "model.layers." + index + ".";
        return new GpuLayer(
                upload.vector(prefix + "input_layernorm.weight"),
                upload.linear(prefix, InputGroup.ATTENTION),
                upload.linear(prefix, InputGroup.OUTPUT),
                upload.vector(prefix + "post_attention_layernorm.weight"),
                upload.linear(prefix, InputGroup.FEED_FORWARD),
                upload.linear(prefix, InputGroup.DOWN));
    }

    Stream<GpuLinear> products() {
        return Stream.of(attention, output, feedForward, down);
    }

    /** Queues x = layer(x) of the residual stream, and its keys and values into the cache. */
    void run(
            GpuStream stream,
            LayerKernels kernels,
            GpuAttention mixing,
            GpuAttention.Step step,
            GpuActivations a,
            KvCodeCache cache) {
        int tokens = step.tokens();
        GpuMemory x = a.residual();
        GpuMemory projected = a.projected();
        kernels.codeNormed(stream, a, inputNorm, attention.order(), tokens);
        kernels.multiply(stream, a, attention, tokens, null, projected);
        mixing.run(
                stream,
                step,
                a,
                attention.part(0, projected),
                attention.part(1, projected),
                attention.part(2, projected),
                cache);
        kernels.codeMixed(stream, a, output.order(), tokens);
        kernels.multiply(stream, a, output, tokens, x, x);
        kernels.codeNormed(stream, a, postAttentionNorm, feedForward.order(), tokens);
        kernels.multiply(stream, a, feedForward, tokens, null, projected);
        kernels.codeActivated(
                stream, a, feedForward.part(0, projected), feedForward.part(1, projected), down.order(), tokens);
        kernels.multiply(stream, a, down, tokens, x, x);
    }
}
