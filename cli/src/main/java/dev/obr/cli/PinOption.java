package dev.obr.cli;

import dev.obr.kernels.cpu.PinnedThreads;
import dev.obr.kernels.cpu.ThreadPlacement;
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

    ThreadPlacement placement() {
        return pinned ? PinnedThreads.open() : ThreadPlacement.FREE;
    }

    /** What results say of it. */
    List<String> notes() {
        return pinned ? List.of("Threads were held on processors of their own.") : List.of();
    }
}
