package dev.obr.runtime.embedding;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What this process holds, as Linux counts it.
 *
 * @param descriptors open files
 * @param threads the system's
 * @param mappings of memory
 * @param residentKib memory that it really has
 */
record ProcessState(long descriptors, long threads, long mappings, long residentKib) {
    static ProcessState now() {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"));
                Stream<String> mappings = Files.lines(Path.of("/proc/self/maps"))) {
            return new ProcessState(descriptors.count(), status("Threads"), mappings.count(), status("VmRSS"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long status(String field) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith(field + ":"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .sum();
        }
    }

    /** In a line that {@link #parse} reads. */
    String line() {
        return descriptors + " " + threads + " " + mappings + " " + residentKib;
    }

    static ProcessState parse(String line) {
        long[] counts = Stream.of(line.split(" ")).mapToLong(Long::parseLong).toArray();
        return new ProcessState(counts[0], counts[1], counts[2], counts[3]);
    }
}
