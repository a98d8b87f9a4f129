package dev.obr.runtime;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.transformer.KvType;
import org.jspecify.annotations.Nullable;

/**
 * How a model is run.
 *
 * @param threads computing threads; 0 takes one per processor
 * @param kernels {@code scalar}, {@code vector} or {@code native}; null takes what {@code -Dobr.kernels} says, else the fastest that works
 * @param kv how keys and values are kept
 * @param contextLength most tokens of a sequence; 0 takes the model's own
 */
public record RuntimeOptions(int threads, @Nullable String kernels, KvType kv, int contextLength) {
    public RuntimeOptions {
        if (threads < 0 || threads > 1024) {
            throw new ObrException("The option threads is " + threads + ", but must be 0 (one per processor) to 1024.");
        }
        if (contextLength < 0) {
            throw new ObrException(
                    "The option context is " + contextLength + ", but must be 0 (the model's own) or more.");
        }
    }

    /** All processors, the fastest kernels, F16 keys and values, the model's own context length. */
    public static RuntimeOptions defaults() {
        return new RuntimeOptions(0, null, KvType.F16, 0);
    }

    public RuntimeOptions withThreads(int threads) {
        return new RuntimeOptions(threads, kernels, kv, contextLength);
    }

    public RuntimeOptions withKernels(@Nullable String kernels) {
        return new RuntimeOptions(threads, kernels, kv, contextLength);
    }

    public RuntimeOptions withKv(KvType kv) {
        return new RuntimeOptions(threads, kernels, kv, contextLength);
    }

    public RuntimeOptions withContextLength(int contextLength) {
        return new RuntimeOptions(threads, kernels, kv, contextLength);
    }
}
