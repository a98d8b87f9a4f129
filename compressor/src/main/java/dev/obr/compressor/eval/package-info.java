/** What a model knows, and what of it was lost: perplexity of a text, divergence from another model. */
@NullMarked
package dev.obr.compressor.eval;

import org.jspecify.annotations.NullMarked;
