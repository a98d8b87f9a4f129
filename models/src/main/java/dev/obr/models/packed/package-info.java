/** Packed models on disk: what the compressor writes and the runtime maps. docs/format.md describes every byte. */
@NullMarked
package dev.obr.models.packed;

import org.jspecify.annotations.NullMarked;
