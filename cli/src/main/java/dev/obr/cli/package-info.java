/** The command line: one class a verb, each a thin skin over the library. */
@NullMarked
package dev.obr.cli;

import org.jspecify.annotations.NullMarked;
