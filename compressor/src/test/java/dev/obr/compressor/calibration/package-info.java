@NullMarked
package dev.obr.compressor.calibration;

import org.jspecify.annotations.NullMarked;
