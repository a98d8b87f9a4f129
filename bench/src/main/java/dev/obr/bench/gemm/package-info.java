/** How fast the product of a linear layer is for each kind of weights, beside the same product of floats: the paper's figure 4 on the machine at hand. */
@NullMarked
package dev.obr.bench.gemm;

import org.jspecify.annotations.NullMarked;
