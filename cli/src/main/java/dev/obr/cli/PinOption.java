package dev.obr.cli;

import java.util.List;
import picocli.CommandLine.Option;

/** Whether threads may move while they are measured. */
final class PinOption {
    @Option(
            names = "--pin",
            description = "Hold each computing thread but the first on a processor of its own. Linux only.")
    private boolean pinned;

    boolean pinned() {
        return pinned;
    }

    /** What results of {@code device} say of it: a GPU has no threads to hold. */
    List<String> notes(String device) {
        return pinned && device.equals("cpu")
                ? List.of("Each computing thread but the first was held on a processor of its own.")
                : List.of();
    }
}
