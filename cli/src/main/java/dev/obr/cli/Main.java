package dev.obr.cli;

import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.launcher.Arguments;
import dev.obr.launcher.Launcher;
import java.util.List;

/** The command line in this JVM; {@link Launcher} gets here on any Java. */
public final class Main {
    private Main() {}

    /** Runs one verb and exits: 0 done, 1 failed, 2 wrong usage, 130 interrupted. */
    public static void main(String[] args) throws InterruptedException {
        Console console = Console.ofProcess();
        Interruption interruption = new Interruption();
        interruption.install();
        int exitCode;
        try {
            List<String> arguments = Arguments.received(args);
            exitCode = CpuKernelsProvider.fastKernelsReachable(console.environment())
                    ? new CommandLineApplication(console, interruption).run(arguments)
                    : Launcher.runWithVectorApi(arguments);
        } catch (Arguments.NotUtf8 e) {
            console.note("error: " + e.getMessage());
            exitCode = 2;
        }
        interruption.finished();
        System.exit(exitCode);
    }
}
