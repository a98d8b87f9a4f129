@NullMarked
package dev.obr.kernels.packed;

import org.jspecify.annotations.NullMarked;
