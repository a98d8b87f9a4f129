@NullMarked
package dev.obr.bench.machine;

import org.jspecify.annotations.NullMarked;
