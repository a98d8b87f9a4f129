/** A whole model, one decoder layer after the other: rotate, calibrate, compress, pack. */
@NullMarked
package dev.obr.compressor.pipeline;

import org.jspecify.annotations.NullMarked;
