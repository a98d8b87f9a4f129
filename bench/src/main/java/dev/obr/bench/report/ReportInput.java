package dev.obr.bench.report;

import dev.obr.bench.results.ResultFile;
import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The runs that a report is about.
 *
 * @param runs by suite, the latest first
 * @param leftOut sentences about files of the folders that hold no results
 */
public record ReportInput(List<Run> runs, List<String> leftOut) {
    /** Suites in the order in which they are shown; others follow. */
    private static final List<String> SUITES = List.of("compare", "e2e", "gemm", "quality", "compress", "roofline");

    private static final String ENDING = ".json";

    /**
     * A result file.
     *
     * @param name of the file without its ending
     */
    public record Run(String name, ResultFile results) {}

    public ReportInput {
        runs = runs.stream()
                .sorted(Comparator.comparingInt((Run run) -> place(run.results().suite()))
                        .thenComparing(run -> run.results().suite())
                        .thenComparing(run -> run.results().started(), Comparator.reverseOrder())
                        .thenComparing(Run::name))
                .toList();
        leftOut = List.copyOf(leftOut);
    }

    /**
     * Reads result files, and those among the {@code .json} files of folders.
     *
     * @throws ObrException where a file that was named is no result file, or nothing is left
     */
    public static ReportInput read(List<Path> paths) {
        List<Run> runs = new ArrayList<>();
        List<String> leftOut = new ArrayList<>();
        for (Path path : paths) {
            if (!Files.exists(path)) {
                throw new ObrException(path + " does not exist: name a folder of results or a result file");
            }
            if (Files.isDirectory(path)) {
                readFolder(path, runs, leftOut);
            } else {
                runs.add(read(path));
            }
        }
        if (runs.isEmpty()) {
            String places = paths.stream().map(Path::toString).collect(Collectors.joining(", "));
            throw new ObrException("there are no results in " + places + ": make some with bench .. --output FILE.json"
                    + (leftOut.isEmpty() ? "" : " (left out: " + String.join("; ", leftOut) + ")"));
        }
        return new ReportInput(runs, leftOut);
    }

    private static void readFolder(Path folder, List<Run> runs, List<String> leftOut) {
        for (Path file : jsonFiles(folder)) {
            try {
                runs.add(read(file));
            } catch (ObrException e) {
                leftOut.add(String.valueOf(e.getMessage()));
            }
        }
    }

    private static List<Path> jsonFiles(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(ENDING) && Files.isRegularFile(file))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new ObrException(
                    "cannot read the folder " + folder + " (" + e.getMessage() + "): check its permissions");
        }
    }

    private static Run read(Path file) {
        String name = String.valueOf(file.getFileName());
        return new Run(
                name.endsWith(ENDING) ? name.substring(0, name.length() - ENDING.length()) : name,
                ResultFile.read(file));
    }

    private static int place(String suite) {
        int place = SUITES.indexOf(suite);
        return place < 0 ? SUITES.size() : place;
    }
}
