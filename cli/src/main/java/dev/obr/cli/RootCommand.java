package dev.obr.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The program without a verb: help and version. */
@Command(
        name = "obr-runtime.jar",
        description = "Runs large language models on this machine.",
        versionProvider = RootCommand.Version.class,
        synopsisSubcommandLabel = "VERB",
        subcommandsRepeatable = false,
        commandListHeading = "%nVerbs:%n",
        footer = {
            "",
            "Every option of a verb can be set by an environment variable: --max-tokens by OBR_MAX_TOKENS, and so on; the option wins.",
            "--show-command prints the java command that would run, and ends.",
            "",
            "  obr-runtime.jar VERB --help   the options of one verb"
        })
final class RootCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Show the version and exit.")
    @SuppressWarnings("UnusedVariable") // picocli acts on it
    private boolean version;

    @Mixin
    @SuppressWarnings("UnusedVariable") // picocli fills it in
    private final CommonOptions common;

    RootCommand(CommonOptions common) {
        this.common = common;
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "name a verb: " + String.join(", ", spec.subcommands().keySet()));
    }

    /** The version in the jar's manifest, or that there is none. */
    static String productVersion() {
        String version = RootCommand.class.getPackage().getImplementationVersion();
        return version == null ? "(development build)" : version;
    }

    /** What {@code --version} shows. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"OBR Runtime " + productVersion() + ", Java " + Runtime.version()};
        }
    }
}
