/** How what a file holds is shown in an error message. */
@NullMarked
package dev.obr.models.message;

import org.jspecify.annotations.NullMarked;
