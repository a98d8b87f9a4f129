@NullMarked
package dev.obr.kernels.gpu.tokens;

import org.jspecify.annotations.NullMarked;
