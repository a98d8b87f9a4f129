@NullMarked
package dev.obr.kernels.hadamard;

import org.jspecify.annotations.NullMarked;
