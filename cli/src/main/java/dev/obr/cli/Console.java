package dev.obr.cli;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * What a command reads from and writes to: results go to {@link #print}, everything else to {@link #note}. Text is UTF-8 whatever the locale.
 *
 * <p>Every {@link #print} is flushed: a reader sees each token as it comes, in whole characters.
 */
final class Console {
    private static final String ERASE_REST = "\u001b[K";

    private final InputStream in;
    private final OutputStream out;
    private final PrintStream err;
    private final boolean interactive;
    private final boolean bars;
    private boolean barShown;
    private final Map<String, String> environment;

    /** The reader of stdout left, or stdout cannot be written. */
    static final class OutputFailed extends RuntimeException {
        private static final long serialVersionUID = 1;

        OutputFailed(IOException cause) {
            super(cause.getMessage(), cause);
        }

        /** Whether the reader left, as {@code head} does: no failure of ours. */
        boolean readerLeft() {
            String reason = String.valueOf(getMessage());
            return reason.contains("Broken pipe") || reason.contains("pipe is being closed");
        }
    }

    /** @param interactive whether a person types at {@code in} */
    Console(InputStream in, OutputStream out, OutputStream err, boolean interactive, Map<String, String> environment) {
        this(in, out, err, interactive, false, environment);
    }

    private Console(
            InputStream in,
            OutputStream out,
            OutputStream err,
            boolean interactive,
            boolean bars,
            Map<String, String> environment) {
        this.bars = bars;
        this.in = in;
        this.out = out;
        this.err = new PrintStream(err, true, StandardCharsets.UTF_8);
        this.interactive = interactive;
        this.environment = Map.copyOf(environment);
    }

    /** The streams of this process. */
    static Console ofProcess() {
        return new Console(
                new FileInputStream(FileDescriptor.in),
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err),
                isTerminal(0),
                isTerminal(2),
                System.getenv());
    }

    InputStream in() {
        return in;
    }

    boolean interactive() {
        return interactive;
    }

    Map<String, String> environment() {
        return environment;
    }

    /** Writes a piece of the result to stdout, at once. */
    void print(String text) {
        try {
            out.write(text.getBytes(StandardCharsets.UTF_8));
            out.flush();
        } catch (IOException e) {
            throw new OutputFailed(e);
        }
    }

    /** Writes a line of the result to stdout. */
    void println(String line) {
        print(line + "\n");
    }

    /** Writes a line about the work to stderr. */
    void note(String line) {
        endBar();
        err.println(line);
    }

    /** Whether a line on stderr can be written over: stderr is a terminal. */
    boolean showsBars() {
        return bars;
    }

    /** Shows a line about the work in the place of the last such line; an ordinary line where that cannot be done. */
    void bar(String line) {
        if (!bars) {
            note(line);
            return;
        }
        err.print("\r" + line + ERASE_REST);
        err.flush();
        barShown = true;
    }

    /** Clears the line of {@link #bar}. */
    private void endBar() {
        if (barShown) {
            err.print("\r" + ERASE_REST);
            barShown = false;
        }
    }

    /** Writes an error's stack trace to stderr. */
    void trace(Throwable error) {
        error.printStackTrace(err);
    }

    /** Stdout for a library that wants a writer. */
    PrintWriter writer() {
        return new PrintWriter(new Writer() {
            @Override
            public void write(char[] text, int offset, int length) {
                print(new String(text, offset, length));
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        });
    }

    /** Stderr for a library that wants a writer. */
    PrintWriter errorWriter() {
        return new PrintWriter(new OutputStreamWriter(err, StandardCharsets.UTF_8), true);
    }

    @SuppressWarnings("SystemConsoleNull") // it may still be null, by -Djdk.console
    private static boolean isTerminal(int descriptor) {
        Path file = Path.of("/proc/self/fd/" + descriptor);
        try {
            if (Files.isSymbolicLink(file)) {
                String target = Files.readSymbolicLink(file).toString();
                return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
            }
        } catch (IOException e) {
            return false;
        }
        java.io.Console console = System.console();
        return console != null && console.isTerminal();
    }
}
