/** Linear layers on a GPU: weights in the order of tensor cores' registers, activations as codes, their products; each kernel with a scalar twin that is its specification. */
@NullMarked
package dev.obr.kernels.gpu.linear;

import org.jspecify.annotations.NullMarked;
