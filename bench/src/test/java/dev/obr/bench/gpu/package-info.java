@NullMarked
package dev.obr.bench.gpu;

import org.jspecify.annotations.NullMarked;
