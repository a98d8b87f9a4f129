package dev.obr.cli;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code help}: the options of the program, or of one verb. */
@Command(name = "help", description = "Show the options of a verb.")
final class HelpCommand implements Callable<Integer> {
    private final Console console;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(arity = "0..1", paramLabel = "VERB", description = "The verb; without it, the program.")
    private @Nullable String verb;

    HelpCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        CommandLine program = spec.commandLine().getParent();
        CommandLine wanted = verb == null ? program : program.getSubcommands().get(verb);
        if (wanted == null) {
            throw new ParameterException(spec.commandLine(), "There is no verb '" + verb + "'");
        }
        console.print(wanted.getUsageMessage());
        return CommandLineApplication.DONE;
    }
}
