@NullMarked
package dev.obr.runtime.grammar;

import org.jspecify.annotations.NullMarked;
