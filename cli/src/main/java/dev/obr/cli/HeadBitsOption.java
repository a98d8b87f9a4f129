package dev.obr.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** In how many bits the LM head of a packed model is kept. */
final class HeadBitsOption {
    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec command;

    private int bits;

    @Option(
            names = "--head-bits",
            paramLabel = "16|8|4",
            defaultValue = "8",
            description = "Bits of a packed model's LM head; its inputs are not coded. Default: ${DEFAULT-VALUE}.")
    void bits(int wanted) {
        if (wanted != 4 && wanted != 8 && wanted != 16) {
            throw new ParameterException(
                    command.commandLine(), "--head-bits is " + wanted + ", but must be 16, 8 or 4");
        }
        bits = wanted;
    }

    /** 4 or 8, or 16 for half floats. */
    int bits() {
        return bits;
    }
}
