@NullMarked
package dev.obr.compressor.random;

import org.jspecify.annotations.NullMarked;
