/** Weights as the compressor leaves them: 4-bit codes on a sparsity pattern, one scale per output channel. */
@NullMarked
package dev.obr.kernels.packed;

import org.jspecify.annotations.NullMarked;
