/** Two result files compared: what has become slower. */
@NullMarked
package dev.obr.bench.gate;

import org.jspecify.annotations.NullMarked;
