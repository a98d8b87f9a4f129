@NullMarked
package dev.obr.compressor.eval;

import org.jspecify.annotations.NullMarked;
