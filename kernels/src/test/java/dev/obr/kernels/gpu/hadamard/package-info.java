@NullMarked
package dev.obr.kernels.gpu.hadamard;

import org.jspecify.annotations.NullMarked;
