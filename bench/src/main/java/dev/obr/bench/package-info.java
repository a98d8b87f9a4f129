/** Speed and memory, measured: llama-bench's tests, memory bandwidth, and random models to measure with. */
@NullMarked
package dev.obr.bench;

import org.jspecify.annotations.NullMarked;
