package dev.obr.runtime.transformer;

import org.jspecify.annotations.Nullable;

/**
 * A linear layer as a backend loaded it: y = W x + b.
 *
 * @param weight W [out, in]
 * @param bias [1, out], or null
 */
public record Linear(DeviceWeight weight, @Nullable Tensor bias) {}
