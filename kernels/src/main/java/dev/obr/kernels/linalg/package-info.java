/** Dense linear algebra in float32: products, Cholesky factors and triangular solves. */
@NullMarked
package dev.obr.kernels.linalg;

import org.jspecify.annotations.NullMarked;
