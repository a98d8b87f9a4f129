@NullMarked
package dev.obr.cli;

import org.jspecify.annotations.NullMarked;
