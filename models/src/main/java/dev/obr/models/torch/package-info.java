/** Files that {@code torch.save} wrote: a zip archive with one pickle, of which nothing but tensors is read. */
@NullMarked
package dev.obr.models.torch;

import org.jspecify.annotations.NullMarked;
