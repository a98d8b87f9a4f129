/** Result files become a page that a person reads: a summary, plots and tables, with the machine and the command of every number. */
@NullMarked
package dev.obr.bench.report;

import org.jspecify.annotations.NullMarked;
