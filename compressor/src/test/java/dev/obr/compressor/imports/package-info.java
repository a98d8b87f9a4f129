@NullMarked
package dev.obr.compressor.imports;

import org.jspecify.annotations.NullMarked;
