package dev.obr.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** What a command line did: run inside this JVM, with streams of its own. */
record Ran(int exitCode, String out, String err) {
    /** With nothing on standard input and no environment. */
    static Ran verb(String... arguments) {
        return with(Map.of(), new byte[0], arguments);
    }

    static Ran with(Map<String, String> environment, byte[] input, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console console = new Console(new ByteArrayInputStream(input), out, err, false, environment);
        int exitCode = new CommandLineApplication(console, new Interruption()).run(List.of(arguments));
        return new Ran(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
}
