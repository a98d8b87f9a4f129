/** How a model is made small. Knows nothing of commands. */
@NullMarked
package dev.obr.compressor;

import org.jspecify.annotations.NullMarked;
