/** Safetensors files: the Hugging Face way to store tensors. */
@NullMarked
package dev.obr.models.safetensors;

import org.jspecify.annotations.NullMarked;
