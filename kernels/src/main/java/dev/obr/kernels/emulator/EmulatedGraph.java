package dev.obr.kernels.emulator;

import dev.obr.kernels.gpu.GpuGraph;
import java.util.List;

/** Recorded work, in order. */
final class EmulatedGraph extends EmulatedResource implements GpuGraph {
    private final List<Runnable> work;

    EmulatedGraph(EmulatedDevice device, List<Runnable> work) {
        super(device, "the graph");
        this.work = List.copyOf(work);
    }

    List<Runnable> work(EmulatedDevice user) {
        requireOf(user);
        return work;
    }

    @Override
    void free() {}
}
