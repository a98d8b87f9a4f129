/** Whether a device computes what the scalar twins say: a table of cases for each kernel, with tails in all extents, and what compares. */
@NullMarked
package dev.obr.kernels.gpu.check;

import org.jspecify.annotations.NullMarked;
