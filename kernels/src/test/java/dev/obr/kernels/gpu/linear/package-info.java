@NullMarked
package dev.obr.kernels.gpu.linear;

import org.jspecify.annotations.NullMarked;
