/** Numbers in memory in, numbers out. Knows nothing of models, files or tokens. */
@NullMarked
package dev.obr.kernels;

import org.jspecify.annotations.NullMarked;
