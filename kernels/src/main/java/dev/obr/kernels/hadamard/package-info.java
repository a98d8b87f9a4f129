/** Hadamard matrices and the orthogonal transforms made of them. */
@NullMarked
package dev.obr.kernels.hadamard;

import org.jspecify.annotations.NullMarked;
