/** Models from the Hugging Face hub: fetched into the folder that Python's huggingface_hub keeps, and found there. */
@NullMarked
package dev.obr.models.hub;

import org.jspecify.annotations.NullMarked;
