/** Opens a model of any format. */
@NullMarked
package dev.obr.models.loader;

import org.jspecify.annotations.NullMarked;
