/** The backend for machines without a GPU: the CPU kernels, a thread team, weights in place in the mapped file. */
@NullMarked
package dev.obr.runtime.cpu;

import org.jspecify.annotations.NullMarked;
