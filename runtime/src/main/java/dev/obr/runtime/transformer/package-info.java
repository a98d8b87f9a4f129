/** The forward pass, written once, and the seam to the machine it runs on: {@link dev.obr.runtime.transformer.Backend}. */
@NullMarked
package dev.obr.runtime.transformer;

import org.jspecify.annotations.NullMarked;
