@NullMarked
package dev.obr.bench.compare;

import org.jspecify.annotations.NullMarked;
