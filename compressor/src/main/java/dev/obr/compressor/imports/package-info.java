/** Checkpoints that the published OBR code wrote, as packed models: codes, scales and masks recovered from dequantised weights. */
@NullMarked
package dev.obr.compressor.imports;

import org.jspecify.annotations.NullMarked;
