/** From logits to the next token: one class per step of the chain. */
@NullMarked
package dev.obr.runtime.sampling;

import org.jspecify.annotations.NullMarked;
