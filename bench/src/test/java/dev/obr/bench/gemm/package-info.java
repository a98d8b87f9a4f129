@NullMarked
package dev.obr.bench.gemm;

import org.jspecify.annotations.NullMarked;
