package dev.obr.runtime.gpu;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.attention.KvAppender;
import dev.obr.kernels.gpu.attention.KvAttention;
import dev.obr.kernels.gpu.attention.KvCodeCache;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import dev.obr.models.ModelConfig;
import org.jspecify.annotations.Nullable;

/** Attention of all layers: rotary embedding, keys and values as codes into a layer's cache, and the mixture of values. */
final class GpuAttention {
    private final int heads;
    private final int capacity;
    private final boolean hadamard;
    private final GpuMemory rotations;
    private final KvAppender appender;
    private final KvAttention attention;

    /**
     * @param rotations float32 [capacity, headDim]: cosines, then sines
     * @param hadamard whether queries and keys are transformed behind their rotation
     * @param capacity positions of a sequence
     * @param sequences that step at once at most
     */
    GpuAttention(
            GpuDevice device, ModelConfig config, GpuMemory rotations, boolean hadamard, int capacity, int sequences) {
        this.heads = config.heads();
        this.capacity = capacity;
        this.hadamard = hadamard;
        this.rotations = rotations;
        appender = new KvAppender(device, config.headDim());
        attention = new KvAttention(
                device,
                NormQuantizer.Input.F32,
                config.heads(),
                config.kvHeads(),
                config.headDim(),
                capacity,
                sequences);
    }

    /** What attention of one step is: of how many tokens, and to how many positions. */
    record Step(int tokens, int positions) {
        /** Whether the tokens are of one sequence, one behind the other. */
        boolean prompt() {
            return positions == 0;
        }
    }

    /** A step of {@code tokens} tokens of one sequence, one behind the other. */
    static Step prompt(int tokens) {
        return new Step(tokens, 0);
    }

    /**
     * A step of one token each of some sequences.
     *
     * @param longest positions that one of them attends to at most; rounded up, so that a few recorded steps serve all
     */
    Step step(int sequences, int longest) {
        int positions = KvAttention.SPLIT;
        while (positions < longest) {
            positions *= 2;
        }
        return new Step(sequences, Math.min(capacity, positions));
    }

    void run(
            GpuStream stream,
            Step step,
            GpuActivations a,
            Rows q,
            Rows k,
            Rows v,
            KvAppender.@Nullable HeadNorms norms,
            KvCodeCache cache) {
        appender.append(
                stream, q, k, v, norms, rotations, hadamard, a.places(), step.tokens(), heads, a.queries(), cache);
        if (step.prompt()) {
            attention.prefill(stream, a.queries(), a.places(), step.tokens(), cache, a.mixed());
        } else {
            attention.decode(stream, a.queries(), a.places(), step.tokens(), step.positions(), cache, a.mixed());
        }
    }
}
