/** Texts to calibrate or measure a model on. */
@NullMarked
package dev.obr.compressor.text;

import org.jspecify.annotations.NullMarked;
