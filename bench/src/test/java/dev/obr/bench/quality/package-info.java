@NullMarked
package dev.obr.bench.quality;

import org.jspecify.annotations.NullMarked;
