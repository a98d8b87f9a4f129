package dev.obr.bench.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** The most memory that this process had at a time, mapped files included. */
public final class PeakMemory {
    private static final String FIELD = "VmHWM:";
    private static final Path PROCESS = Path.of("/proc/self");

    /** By which Linux forgets the peak: from then on it is what the process has. */
    private static final String RESET = "5";

    private PeakMemory() {}

    /** In bytes, where the system says it (Linux). */
    public static OptionalLong bytes() {
        try {
            return Files.readAllLines(PROCESS.resolve("status")).stream()
                    .filter(line -> line.startsWith(FIELD))
                    .map(line ->
                            line.substring(FIELD.length()).replace("kB", "").strip())
                    .mapToLong(kibibytes -> Long.parseLong(kibibytes) << 10)
                    .findFirst();
        } catch (IOException notLinux) {
            return OptionalLong.empty();
        }
    }

    /** Begins anew; false where the system does not let it. */
    public static boolean reset() {
        try {
            Files.writeString(PROCESS.resolve("clear_refs"), RESET);
            return true;
        } catch (IOException notAllowed) {
            return false;
        }
    }
}
