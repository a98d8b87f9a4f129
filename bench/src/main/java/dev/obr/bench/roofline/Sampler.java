package dev.obr.bench.roofline;

import dev.obr.kernels.emulator.PtxModule;
import dev.obr.kernels.gpu.GpuStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Launches on paper, for their grids, and on the emulator, for what their blocks do. Each module is parsed once. */
final class Sampler {
    private final Map<String, PtxModule> parsed = new HashMap<>();

    /** The launches in their order. */
    List<PaperDevice.Noted> onPaper(Gpu gpu, Launches launches) {
        try (PaperDevice device = new PaperDevice(gpu, parsed, null);
                GpuStream stream = device.newStream()) {
            launches.queue(device, stream);
            return device.launches();
        }
    }

    /** What the first block of each kernel does. */
    Map<String, Counts> firstBlocks(Launches launches) {
        return run(launches, true);
    }

    /** What all blocks of each kernel do together. */
    Map<String, Counts> allBlocks(Launches launches) {
        return run(launches, false);
    }

    private Map<String, Counts> run(Launches launches, boolean firstBlocks) {
        try (EmulatedBacking emulated = new EmulatedBacking(firstBlocks);
                PaperDevice device = new PaperDevice(Gpu.A100, parsed, emulated); // multiplies everything
                GpuStream stream = device.newStream()) {
            launches.queue(device, stream);
            return emulated.counts();
        }
    }
}
