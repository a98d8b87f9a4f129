/** What compression costs in quality, measured for methods, patterns and precisions side by side. */
@NullMarked
package dev.obr.bench.quality;

import org.jspecify.annotations.NullMarked;
