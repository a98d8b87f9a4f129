@NullMarked
package dev.obr.server;

import org.jspecify.annotations.NullMarked;
