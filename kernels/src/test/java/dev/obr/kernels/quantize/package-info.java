@NullMarked
package dev.obr.kernels.quantize;

import org.jspecify.annotations.NullMarked;
