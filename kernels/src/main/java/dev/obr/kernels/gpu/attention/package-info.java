/** Attention on a GPU over keys and values as 4-bit codes: what fills the cache, and what reads it; and the softmax of float scores, between two products. */
@NullMarked
package dev.obr.kernels.gpu.attention;

import org.jspecify.annotations.NullMarked;
