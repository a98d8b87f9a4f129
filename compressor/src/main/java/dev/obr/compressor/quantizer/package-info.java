/** Grids of few codes for weights, activations, keys and values. */
@NullMarked
package dev.obr.compressor.quantizer;

import org.jspecify.annotations.NullMarked;
