package dev.obr.bench.roofline;

import dev.obr.kernels.emulator.Emulator;
import dev.obr.kernels.emulator.EmulatorOptions;
import dev.obr.kernels.emulator.GlobalMemory;
import dev.obr.kernels.emulator.PtxKernel;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Runs what a {@link PaperDevice} notes, on the emulator, and counts. Memory holds zeros at first. */
final class EmulatedBacking implements PaperDevice.Backing, AutoCloseable {
    /** What a sample computes does not matter, only what it does: looking for races would take time. */
    private static final EmulatorOptions OPTIONS = EmulatorOptions.checked().withCheck(false);

    private final boolean firstBlocks;
    private final Arena arena = Arena.ofConfined();
    private final GlobalMemory memory = new GlobalMemory();
    private final NavigableMap<Long, MemorySegment> regions = new TreeMap<>();
    private final Emulator emulator = new Emulator(OPTIONS);
    private final Map<String, Counts> counts = new LinkedHashMap<>();

    /** @param firstBlocks whether of each launch the first block alone runs: of kernels whose blocks all do the same, and none asks for the grid's extents */
    EmulatedBacking(boolean firstBlocks) {
        this.firstBlocks = firstBlocks;
    }

    /** What each kernel's blocks have done together. */
    Map<String, Counts> counts() {
        return counts;
    }

    @Override
    public void allocated(long address, long bytes) {
        MemorySegment region = arena.allocate(bytes, PaperDevice.ALIGNMENT);
        regions.put(address, region);
        memory.map(address, region, true);
    }

    @Override
    public MemorySegment at(long address, long bytes) {
        Map.Entry<Long, MemorySegment> region = regions.floorEntry(address);
        return region.getValue().asSlice(address - region.getKey(), bytes);
    }

    @Override
    public void launched(PtxKernel kernel, LaunchShape shape, KernelArguments arguments) {
        LaunchShape run =
                firstBlocks ? new LaunchShape(new LaunchShape.Dim(1, 1, 1), shape.block(), shape.sharedBytes()) : shape;
        Counts counted = Counts.of(emulator.launch(kernel, run, arguments.list(), memory));
        counts.merge(kernel.name(), counted, Counts::plus);
    }

    @Override
    public void close() {
        arena.close();
    }
}
