package dev.obr.bench.results;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * One run of a benchmark.
 *
 * @param format {@link #FORMAT}
 * @param suite which benchmark, e.g. {@code gemm}, {@code e2e}, {@code quality}, {@code compare}
 * @param title what was compared, as a reader would say it
 * @param command that repeats it
 * @param started as ISO-8601
 * @param seconds it took
 * @param machine that it ran on
 * @param noise why its times are doubtful, e.g. other programs that kept the cores busy; null on a quiet machine
 * @param notes sentences that belong below the table
 * @param rows in the order in which they are shown
 */
public record ResultFile(
        String format,
        String suite,
        String title,
        String command,
        String started,
        double seconds,
        Machine machine,
        @Nullable String noise,
        List<String> notes,
        List<ResultRow> rows) {
    /** What this version writes and reads. */
    public static final String FORMAT = "obr-bench/1";

    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    public ResultFile {
        notes = List.copyOf(notes);
        rows = List.copyOf(rows);
    }

    /** Writes all of it or nothing. */
    public void write(Path file) {
        Path partial = file.resolveSibling(file.getFileName() + ".partial");
        try {
            Files.writeString(partial, JSON.writeValueAsString(this) + "\n");
            Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new ObrException("cannot write the results to " + file + " (" + e.getMessage()
                    + "): choose a folder that can be written with --output");
        }
    }

    /** Reads what {@link #write} wrote. */
    public static ResultFile read(Path file) {
        try {
            ResultFile results = JSON.readValue(Files.readString(file), ResultFile.class);
            if (results == null || !FORMAT.equals(results.format)) {
                throw new ObrException(file + " is not a result file of the format " + FORMAT
                        + ": give one that bench wrote with --output");
            }
            return results;
        } catch (IOException e) {
            throw new ObrException("cannot read the results in " + file + ": " + e.getMessage());
        } catch (JacksonException | NullPointerException | IllegalArgumentException e) {
            throw new ObrException(file + " is not a result file of the format " + FORMAT
                    + ": give one that bench wrote with --output");
        }
    }
}
