@NullMarked
package dev.obr.kernels.gpu.check;

import org.jspecify.annotations.NullMarked;
