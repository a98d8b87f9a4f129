/** Rotations that take outliers out of weights and activations before they are quantised, and change nothing else. */
@NullMarked
package dev.obr.compressor.rotation;

import org.jspecify.annotations.NullMarked;
