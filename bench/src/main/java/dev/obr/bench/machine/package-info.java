/** What a benchmark runs on, and whether it had the machine to itself. */
@NullMarked
package dev.obr.bench.machine;

import org.jspecify.annotations.NullMarked;
