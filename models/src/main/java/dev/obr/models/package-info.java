/** What a model is: its files, configuration, weights, tokenizer and chat format. Knows nothing of how it runs. */
@NullMarked
package dev.obr.models;

import org.jspecify.annotations.NullMarked;
