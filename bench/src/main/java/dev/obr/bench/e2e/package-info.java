/** Whole requests, measured from their sending to their last token, several at a time: packed models beside the dense one. */
@NullMarked
package dev.obr.bench.e2e;

import org.jspecify.annotations.NullMarked;
