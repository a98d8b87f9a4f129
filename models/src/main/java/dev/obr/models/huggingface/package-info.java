/** Models in the Hugging Face layout: a folder with config.json, tokenizer.json and safetensors files. */
@NullMarked
package dev.obr.models.huggingface;

import org.jspecify.annotations.NullMarked;
