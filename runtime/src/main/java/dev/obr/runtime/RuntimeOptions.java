package dev.obr.runtime;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.DeviceName;
import dev.obr.models.Model;
import dev.obr.models.Quantization;
import dev.obr.runtime.transformer.KvType;
import dev.obr.runtime.transformer.Precision.KvScheme;
import org.jspecify.annotations.Nullable;

/**
 * How a model is run.
 *
 * @param device {@code auto}, {@code cpu}, {@code cuda} or {@code cuda:N}, {@code emulator} or {@code emulator:sm_90}; null is {@code auto} that says nothing where there is no driver
 * @param threads computing threads; 0 takes one per processor
 * @param pinned whether the threads that are started are held on a processor each, for measurements; Linux only
 * @param kernels {@code scalar}, {@code vector} or {@code native}; null takes what {@code -Dobr.kernels} says, else the fastest that works
 * @param kv how keys and values are kept; null takes what a packed model was made for, else F16
 * @param contextLength most tokens of a sequence; 0 takes the model's own
 * @param activations how the inputs of packed weights are quantised
 */
public record RuntimeOptions(
        @Nullable String device,
        int threads,
        boolean pinned,
        @Nullable String kernels,
        @Nullable KvType kv,
        int contextLength,
        Activations activations) {

    /**
     * How the inputs of packed weights are quantised. Other weights take no notice of it.
     *
     * @param bits 4, 8 or 16 (floats); 0 takes the model's own, or 8 where these cost no more: always on a CPU, on a GPU for single tokens and from Hopper on
     * @param clip of 4-bit codes in (0, 1], {@link #SEARCH} for the best of each token, or {@link #MODELS_OWN}
     * @param simulated whether codes are multiplied as the floats that they stand for, as published evaluations do
     * @param kvScheme of a simulated cache
     */
    public record Activations(int bits, double clip, boolean simulated, KvScheme kvScheme) {
        /** The clip with the least squared error is searched for each token. */
        public static final double SEARCH = 0;

        /** The clip that the model was made with. */
        public static final double MODELS_OWN = -1;

        public Activations {
            if (bits != 0 && bits != 4 && bits != 8 && bits != 16) {
                throw new ObrException("Activations were asked for in " + bits + " bits, but must be 4, 8 or 16.");
            }
            if (clip != MODELS_OWN && !(clip >= 0 && clip <= 1)) {
                throw new ObrException("The clip of activations is " + clip + ", but must be above 0 and at most 1.");
            }
            if (kvScheme == KvScheme.QUAROT && !simulated) {
                throw new ObrException(
                        "The cache cannot hold QuaRot's codes, only a simulation can: add --fake-quant, or leave the scheme out.");
            }
        }

        /** As the model asks for, with the widest codes that cost nothing. */
        public static Activations auto() {
            return new Activations(0, MODELS_OWN, false, KvScheme.HEAD);
        }
    }

    public RuntimeOptions {
        if (device != null) {
            DeviceName.parse(device);
        }
        if (threads < 0 || threads > 1024) {
            throw new ObrException("The option threads is " + threads + ", but must be 0 (one per processor) to 1024.");
        }
        if (contextLength < 0) {
            throw new ObrException(
                    "The option context is " + contextLength + ", but must be 0 (the model's own) or more.");
        }
    }

    /** The first GPU that runs the model, else all processors and the fastest kernels, cache and activations as the model asks for, its own context length. */
    public static RuntimeOptions defaults() {
        return new RuntimeOptions(null, 0, false, null, null, 0, Activations.auto());
    }

    public RuntimeOptions withDevice(@Nullable String device) {
        return new RuntimeOptions(device, threads, pinned, kernels, kv, contextLength, activations);
    }

    public RuntimeOptions withThreads(int threads) {
        return new RuntimeOptions(device, threads, pinned, kernels, kv, contextLength, activations);
    }

    public RuntimeOptions withPinned(boolean pinned) {
        return new RuntimeOptions(device, threads, pinned, kernels, kv, contextLength, activations);
    }

    public RuntimeOptions withKernels(@Nullable String kernels) {
        return new RuntimeOptions(device, threads, pinned, kernels, kv, contextLength, activations);
    }

    public RuntimeOptions withKv(@Nullable KvType kv) {
        return new RuntimeOptions(device, threads, pinned, kernels, kv, contextLength, activations);
    }

    public RuntimeOptions withContextLength(int contextLength) {
        return new RuntimeOptions(device, threads, pinned, kernels, kv, contextLength, activations);
    }

    public RuntimeOptions withActivations(Activations activations) {
        return new RuntimeOptions(device, threads, pinned, kernels, kv, contextLength, activations);
    }

    /** How a model's keys and values are kept with these options. */
    public KvType kvOf(Model model) {
        if (kv != null) {
            return kv;
        }
        Quantization quantization = model.quantization();
        return quantization == null ? KvType.F16 : KvType.ofBits(quantization.kvBits());
    }
}
