package dev.obr.bench;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * Models of one shape with random weights in a folder: each is made when it is first asked for, and stays for the next time.
 *
 * @param folder made where it is missing
 * @param name that the files begin with, e.g. {@code llama-3.2-1b-v32000}
 * @param headBits of the packed models' LM head
 * @param progress is told what is being made
 */
public record RandomModels(Path folder, String name, ModelConfig config, int headBits, Consumer<String> progress) {
    private static final long SEED = 0;

    /** The shape called {@code shape}, with another number of layers or another vocabulary unless they are 0. */
    public static RandomModels of(
            Path folder, String shape, int layers, int vocabulary, int headBits, Consumer<String> progress) {
        String name = shape + (layers == 0 ? "" : "-l" + layers) + (vocabulary == 0 ? "" : "-v" + vocabulary);
        return new RandomModels(folder, name, ModelShape.of(shape).config(layers, vocabulary), headBits, progress);
    }

    /** Half floats, as a GGUF file that llama.cpp reads too. */
    public Path halfFloats() {
        Path file = folder.resolve(name + "-f16.gguf");
        if (isMissing(file)) {
            new RandomModel("random-" + name, config, DType.F16, SEED).writeGguf(file);
        }
        return file;
    }

    /** Packed, as a folder. */
    public Path packed(Pattern pattern) {
        Path out = folder.resolve(name + "-" + pattern.label().replace(":", "-") + "-h" + headBits);
        if (isMissing(out)) {
            new RandomPackedModel(config, pattern, headBits, SEED).write(out);
        }
        return out;
    }

    /** Both kinds of files appear when they are complete, not before. */
    private boolean isMissing(Path model) {
        if (Files.exists(model)) {
            return false;
        }
        progress.accept("make " + model);
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new ObrException(
                    "cannot create the folder " + folder + " (" + e.getMessage() + "): choose another with --work");
        }
        return true;
    }
}
