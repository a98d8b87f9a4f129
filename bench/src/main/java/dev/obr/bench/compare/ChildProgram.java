package dev.obr.bench.compare;

import dev.obr.kernels.ObrException;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Runs other programs to their end. One that runs when this one is stopped is stopped, too. */
final class ChildProgram {
    private static final int LINES_SHOWN = 3;

    private ChildProgram() {}

    /**
     * What a program writes to its standard output.
     *
     * @param environment added to this program's own
     * @throws ObrException if it does not start or fails, with the last lines that it wrote
     */
    static String output(List<String> command, Map<String, String> environment) {
        ProcessBuilder builder = new ProcessBuilder(command).redirectInput(new File("/dev/null"));
        builder.environment().putAll(environment);
        Process process;
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new ObrException(command.getFirst() + " does not start: " + e.getMessage());
        }
        Thread stop = new Thread(process::destroy);
        Runtime.getRuntime().addShutdownHook(stop);
        try {
            CompletableFuture<String> errors = CompletableFuture.supplyAsync(() -> text(process.getErrorStream()));
            String out = text(process.getInputStream());
            String said = errors.join();
            int status = process.waitFor();
            if (status != 0) {
                throw new ObrException(String.join(" ", command) + " fails with status " + status + ": "
                        + last(said.isBlank() ? out : said));
            }
            return out;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while " + command.getFirst() + " ran", e);
        } finally {
            process.destroy();
            Runtime.getRuntime().removeShutdownHook(stop);
        }
    }

    private static String text(InputStream in) {
        try (in) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String last(String text) {
        List<String> lines = text.lines().filter(line -> !line.isBlank()).toList();
        return String.join(" / ", lines.subList(Math.max(0, lines.size() - LINES_SHOWN), lines.size()));
    }
}
