package dev.obr.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The most memory that a process had at a time, mapped files included. */
final class PeakMemory {
    private static final String FIELD = "VmHWM:";

    private PeakMemory() {}

    /** In MiB, where the system says it (Linux). */
    static Optional<Long> ofThisProcess() {
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith(FIELD))
                    .map(line ->
                            line.substring(FIELD.length()).replace("kB", "").strip())
                    .map(kibibytes -> Long.parseLong(kibibytes) >> 10)
                    .findFirst();
        } catch (IOException notLinux) {
            return Optional.empty();
        }
    }
}
