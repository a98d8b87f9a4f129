@NullMarked
package dev.obr.compressor.pipeline;

import org.jspecify.annotations.NullMarked;
