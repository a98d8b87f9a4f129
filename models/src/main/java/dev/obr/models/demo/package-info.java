/** The small model that ships with the project. */
@NullMarked
package dev.obr.models.demo;

import org.jspecify.annotations.NullMarked;
