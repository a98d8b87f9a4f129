/** Quantisers that run with the model: activations before a linear layer, keys and values before they are cached. */
@NullMarked
package dev.obr.kernels.quantize;

import org.jspecify.annotations.NullMarked;
