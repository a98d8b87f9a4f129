/** How fast a GPU runs the products of a linear layer: timed by its own events, the variants in turns, beside what the timing model says. */
@NullMarked
package dev.obr.bench.gpu;

import org.jspecify.annotations.NullMarked;
