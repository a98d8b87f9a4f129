package dev.obr.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What computes, for every verb that runs a model. */
final class DeviceOption {
    @Option(
            names = "--device",
            paramLabel = "NAME",
            description =
                    "What computes: cpu, cuda or cuda:N, emulator or emulator:sm_80|sm_86|sm_89|sm_90 (slow, for trying GPU kernels without a GPU), or auto: the first GPU that runs the model, else the CPU. Default: auto.")
    private @Nullable String name;

    /** Null is auto, without a word where there is no driver. */
    @Nullable
    String name() {
        return name;
    }
}
