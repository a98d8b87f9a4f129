/** The adapter of NVIDIA's driver, over a stand-in for that driver and over the real one where there is a GPU. */
@NullMarked
package dev.obr.kernels.cuda;

import org.jspecify.annotations.NullMarked;
