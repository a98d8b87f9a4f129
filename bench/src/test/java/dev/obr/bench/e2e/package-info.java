@NullMarked
package dev.obr.bench.e2e;

import org.jspecify.annotations.NullMarked;
