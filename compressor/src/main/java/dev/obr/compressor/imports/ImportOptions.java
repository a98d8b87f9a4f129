package dev.obr.compressor.imports;

import dev.obr.kernels.packed.Pattern;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What is imported, and what is known of it.
 *
 * @param in the checkpoint: a folder or a file
 * @param base the folder of the model that it was made from: its configuration and tokenizer are taken, its weights need not be there
 * @param rotation null to see from the tensors
 * @param pattern to pack in; null for the smallest that fits
 * @param epsilon of the RMSNorms; null for the rotation's or the base's own
 * @param toolVersion for the packed model
 */
public record ImportOptions(
        Path in,
        Path base,
        @Nullable RotationStyle rotation,
        @Nullable Pattern pattern,
        @Nullable Float epsilon,
        String toolVersion) {}
