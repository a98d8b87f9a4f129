/** Files as bytes and JSON: mapped, read, written, and quoted in error messages. */
@NullMarked
package dev.obr.models.file;

import org.jspecify.annotations.NullMarked;
