@NullMarked
package dev.obr.bench.report;

import org.jspecify.annotations.NullMarked;
