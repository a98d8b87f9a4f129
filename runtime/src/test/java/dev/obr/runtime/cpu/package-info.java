@NullMarked
package dev.obr.runtime.cpu;

import org.jspecify.annotations.NullMarked;
