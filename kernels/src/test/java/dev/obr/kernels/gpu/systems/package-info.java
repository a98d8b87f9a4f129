@NullMarked
package dev.obr.kernels.gpu.systems;

import org.jspecify.annotations.NullMarked;
