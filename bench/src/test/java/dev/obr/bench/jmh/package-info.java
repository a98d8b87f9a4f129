/** Micro-benchmarks: the kernels by the table of cases that their tests compare. */
@NullMarked
package dev.obr.bench.jmh;

import org.jspecify.annotations.NullMarked;
