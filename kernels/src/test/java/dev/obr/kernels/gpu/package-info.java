/** What every device must do. */
@NullMarked
package dev.obr.kernels.gpu;

import org.jspecify.annotations.NullMarked;
