package dev.obr.cli;

import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Gives each option the value of its environment variable where the command line has none: {@code --max-tokens} is {@code OBR_MAX_TOKENS}. */
final class EnvironmentDefaults implements IDefaultValueProvider {
    private final Map<String, String> environment;

    EnvironmentDefaults(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public @Nullable String defaultValue(ArgSpec argument) {
        return argument instanceof OptionSpec option && !option.usageHelp() && !option.versionHelp()
                ? environment.get(variable(option))
                : null;
    }

    /** The variable of an option, whether set or not. */
    static String variable(OptionSpec option) {
        return "OBR_"
                + option.longestName().substring(2).toUpperCase(Locale.ROOT).replace('-', '_');
    }

    /** Whether the value of {@code option} comes from its variable. */
    boolean sets(OptionSpec option) {
        return environment.containsKey(variable(option));
    }
}
