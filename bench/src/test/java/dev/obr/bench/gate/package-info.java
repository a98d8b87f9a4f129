@NullMarked
package dev.obr.bench.gate;

import org.jspecify.annotations.NullMarked;
