/** GGUF files: llama.cpp's way to store a model. */
@NullMarked
package dev.obr.models.gguf;

import org.jspecify.annotations.NullMarked;
