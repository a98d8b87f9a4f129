@NullMarked
package dev.obr.launcher;

import org.jspecify.annotations.NullMarked;
