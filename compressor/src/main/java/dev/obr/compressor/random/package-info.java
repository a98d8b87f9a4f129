/** The random numbers of CPython and PyTorch, so that equal seeds draw what the published methods drew. */
@NullMarked
package dev.obr.compressor.random;

import org.jspecify.annotations.NullMarked;
