package dev.obr.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** The ranges of a benchmark's numbers. */
final class BenchRanges {
    private BenchRanges() {}

    /** @throws ParameterException naming the option, the value and the range, if it is outside */
    static void require(CommandSpec verb, String option, int value, int least, int most) {
        if (value < least || value > most) {
            throw new ParameterException(
                    verb.commandLine(), option + " is " + value + ", but must be from " + least + " to " + most);
        }
    }
}
