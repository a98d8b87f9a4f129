/** Which weights are kept: metrics and patterns. */
@NullMarked
package dev.obr.compressor.mask;

import org.jspecify.annotations.NullMarked;
