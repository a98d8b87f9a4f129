@NullMarked
package dev.obr.compressor.rotation;

import org.jspecify.annotations.NullMarked;
