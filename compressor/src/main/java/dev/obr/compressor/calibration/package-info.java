/** The text that a model is measured on while it is compressed. */
@NullMarked
package dev.obr.compressor.calibration;

import org.jspecify.annotations.NullMarked;
