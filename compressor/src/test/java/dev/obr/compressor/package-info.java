@NullMarked
package dev.obr.compressor;

import org.jspecify.annotations.NullMarked;
