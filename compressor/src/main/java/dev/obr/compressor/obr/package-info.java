/** One linear layer compressed: Optimal Brain Restoration, and the methods it is compared with. */
@NullMarked
package dev.obr.compressor.obr;

import org.jspecify.annotations.NullMarked;
