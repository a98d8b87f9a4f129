/** Hadamard transforms of activations on a GPU, followed by their codes. */
@NullMarked
package dev.obr.kernels.gpu.hadamard;

import org.jspecify.annotations.NullMarked;
