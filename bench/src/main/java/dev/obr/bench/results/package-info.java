/** What benchmarks found, as one JSON file a run: rows of named figures with the machine, the command and the time at which they came about. */
@NullMarked
package dev.obr.bench.results;

import org.jspecify.annotations.NullMarked;
