/** Text to token ids and back. */
@NullMarked
package dev.obr.models.tokenizer;

import org.jspecify.annotations.NullMarked;
