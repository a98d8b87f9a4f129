package dev.obr.runtime.transformer;

import dev.obr.kernels.quantize.ActivationQuantizer;
import org.jspecify.annotations.Nullable;

/**
 * How the linear layers of a packed model compute. Layers that are not packed take no notice of it.
 *
 * @param activations how their inputs are quantised; null for not at all: codes of weights times floats
 * @param simulated whether weights and activations are multiplied as the floats that their codes stand for, as published evaluations do, instead of as integers
 * @param kvScheme of a simulated cache
 */
public record Precision(@Nullable ActivationQuantizer activations, boolean simulated, KvScheme kvScheme) {
    /** How a simulated cache rounds keys and values. */
    public enum KvScheme {
        /** As the cache itself does: asymmetric, one scale per token and head. */
        HEAD,
        /** As QuaRot's evaluation does: symmetric, one scale per token over all heads. */
        QUAROT
    }

    /** Nothing but floats. */
    public static final Precision FLOAT = new Precision(null, false, KvScheme.HEAD);
}
