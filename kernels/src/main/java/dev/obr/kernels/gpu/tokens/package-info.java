/** Where a step on a GPU begins and ends: tokens become activations, logits become tokens. */
@NullMarked
package dev.obr.kernels.gpu.tokens;

import org.jspecify.annotations.NullMarked;
