/** Other programs, measured in turns with this one. */
@NullMarked
package dev.obr.bench.compare;

import org.jspecify.annotations.NullMarked;
