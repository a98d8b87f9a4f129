/** How chat turns are written as a prompt, per model family. */
@NullMarked
package dev.obr.models.chat;

import org.jspecify.annotations.NullMarked;
