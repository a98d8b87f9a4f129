package dev.obr.models.file;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The files that a model's weights are mapped from, as they were when it was opened.
 *
 * <p>A mapped file that is deleted or replaced by renaming stays what it was for whoever has mapped it. One that is written to changes under the model, and touching what was cut off ends the
 * process; {@link #checkUnchanged} finds out before.
 */
public final class WeightFiles {
    private final List<State> states;

    /** @param key tells whether it is still the same file that has this name; null where the system has no such key */
    private record State(Path file, @Nullable Object key, long size, FileTime modified) {}

    private WeightFiles(List<State> states) {
        this.states = states;
    }

    /** Of a model that has none. */
    public static WeightFiles none() {
        return new WeightFiles(List.of());
    }

    /** Of the model at {@code path}, a file or a folder: to be called before it is opened. What cannot be read is left to whoever opens it. */
    public static WeightFiles of(Path path) {
        List<State> states = new ArrayList<>();
        try (Stream<Path> files =
                Files.isDirectory(path) ? Files.list(path).filter(WeightFiles::holdsWeights) : Stream.of(path)) {
            for (Path file : files.toList()) {
                states.add(state(file));
            }
        } catch (IOException unreadable) {
            return none();
        }
        return new WeightFiles(states);
    }

    /** @throws ObrException if one of them was written to since */
    public void checkUnchanged() {
        for (State before : states) {
            try {
                State now = state(before.file);
                if (Objects.equals(now.key, before.key) && !now.equals(before)) {
                    throw new ObrException(
                            before.file + " was written to while its model was open (it had " + before.size
                                    + " bytes of " + before.modified + ", now " + now.size + " of " + now.modified
                                    + "): open the model again, and replace files by renaming others");
                }
            } catch (IOException gone) {
                continue; // whatever has become of the name, the pages stay
            }
        }
    }

    private static boolean holdsWeights(Path file) {
        String name = file.toString();
        return name.endsWith(".safetensors") || name.endsWith(".gguf");
    }

    private static State state(Path file) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        return new State(file, attributes.fileKey(), attributes.size(), attributes.lastModifiedTime());
    }
}
