/** The order in which linear layers take the columns of their input, where neighbours are pruned together. */
@NullMarked
package dev.obr.compressor.permutation;

import org.jspecify.annotations.NullMarked;
