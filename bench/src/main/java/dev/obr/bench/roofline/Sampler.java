package dev.obr.bench.roofline;

import dev.obr.kernels.emulator.EmulatedDevice;
import dev.obr.kernels.emulator.EmulatedDeviceOptions;
import dev.obr.kernels.emulator.EmulatorOptions;
import dev.obr.kernels.emulator.LaunchCounters;
import dev.obr.kernels.emulator.PtxModule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuStream;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Launches on paper, for their grids, and on the emulator, for what their blocks do. */
final class Sampler {
    private final Map<String, PtxModule> parsed = new HashMap<>();

    /** The launches in their order. */
    List<PaperDevice.Noted> onPaper(Gpu gpu, Launches launches) {
        try (PaperDevice device = new PaperDevice(gpu, parsed);
                GpuStream stream = device.newStream()) {
            launches.queue(device, stream);
            return device.launches();
        }
    }

    /** What the first block of each kernel does. */
    static Map<String, Counts> firstBlocks(Launches launches) {
        return run(launches, true);
    }

    /** What all blocks of each kernel do together. */
    static Map<String, Counts> allBlocks(Launches launches) {
        return run(launches, false);
    }

    /** Unwritten memory may be read: its contents do not matter, and noting what is written takes time. */
    private static Map<String, Counts> run(Launches launches, boolean firstBlock) {
        EmulatorOptions options = EmulatorOptions.checked().withCheck(false);
        try (EmulatedDevice device = new EmulatedDevice(
                        EmulatedDeviceOptions.checked(ComputeCapability.SM_80).withEmulator(options));
                GpuStream all = device.newStream();
                GpuStream stream = firstBlock ? new FirstBlockStream(all) : all) {
            launches.queue(device, stream);
            stream.synchronize();
            Map<String, Counts> counts = new LinkedHashMap<>();
            for (Map.Entry<String, LaunchCounters> kernel : device.counters().entrySet()) {
                counts.put(kernel.getKey(), Counts.of(kernel.getValue()));
            }
            return counts;
        }
    }
}
