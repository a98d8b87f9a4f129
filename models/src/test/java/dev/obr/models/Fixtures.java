package dev.obr.models;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The tiny models that the tests of {@code runtime} run; here their files are read. */
public final class Fixtures {
    private static final Path FOLDER = Path.of("..", "runtime", "src", "test", "resources", "models");

    private Fixtures() {}

    public static Path model(String name) {
        Path folder = FOLDER.resolve(name);
        if (!Files.isDirectory(folder)) {
            throw new IllegalStateException(folder.toAbsolutePath() + " is missing from the checkout");
        }
        return folder;
    }

    /** The names of all folders that hold a model's files. */
    public static List<String> names() throws IOException {
        try (Stream<Path> folders = Files.list(FOLDER)) {
            return folders.filter(folder ->
                            Files.exists(folder.resolve("config.json")) || Files.exists(folder.resolve("model.gguf")))
                    .map(folder -> folder.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }
}
