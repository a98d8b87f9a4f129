@NullMarked
package dev.obr.compressor.permutation;

import org.jspecify.annotations.NullMarked;
