package dev.obr.cli;

import picocli.CommandLine.Option;

/** Options of every verb. */
final class CommonOptions {
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help and exit.")
    private boolean help;

    @Option(
            names = {"-v", "--verbose"},
            description = "Say more on stderr; show where an error came from.")
    private boolean verbose;

    @Option(names = "--quiet", description = "Say nothing on stderr but errors.")
    private boolean quiet;

    boolean verbose() {
        return verbose;
    }

    boolean quiet() {
        return quiet;
    }
}
