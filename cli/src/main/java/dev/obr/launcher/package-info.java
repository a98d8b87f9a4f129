/**
 * How {@code java -jar obr-runtime.jar} starts on any Java from 17: finds a Java that can run the rest, and runs it with the right flags. Compiled for Java 17; knows nothing of the
 * rest but the name of its main class.
 */
@NullMarked
package dev.obr.launcher;

import org.jspecify.annotations.NullMarked;
