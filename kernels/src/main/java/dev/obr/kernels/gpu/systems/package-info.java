/** Systems of equations with principal submatrices of one matrix, which compression solves: the kernels beside the libraries. */
@NullMarked
package dev.obr.kernels.gpu.systems;

import org.jspecify.annotations.NullMarked;
