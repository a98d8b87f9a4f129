package dev.obr.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How many threads compute. No result depends on it. */
final class ThreadsOption {
    private static final int MOST = 1024;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec command;

    private int threads;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            defaultValue = "0",
            description = "Computing threads; 0 is one per core. Default: ${DEFAULT-VALUE}.")
    void threads(int wanted) {
        if (wanted < 0 || wanted > MOST) {
            throw new ParameterException(
                    command.commandLine(), "--threads is " + wanted + ", but must be 0 (one per core) to " + MOST);
        }
        threads = wanted;
    }

    /** 1 or more. */
    int count() {
        return threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
    }
}
