@NullMarked
package dev.obr.kernels.gpu.attention;

import org.jspecify.annotations.NullMarked;
