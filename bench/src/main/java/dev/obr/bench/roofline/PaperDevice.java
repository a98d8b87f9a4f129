package dev.obr.bench.roofline;

import dev.obr.kernels.emulator.PtxModule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuEvent;
import dev.obr.kernels.gpu.GpuGraph;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A device that notes what is launched and does nothing: the grids of a large model without its memory, from the very code that launches them. */
final class PaperDevice implements GpuDevice {
    private static final long ALIGNMENT = 256;

    /**
     * A launch that was noted.
     *
     * @param sharedBytes of a block, static and dynamic
     */
    record Noted(String kernel, LaunchShape shape, int sharedBytes) {}

    private final Gpu gpu;
    private final Map<String, PtxModule> parsed;
    private final List<Noted> launches = new ArrayList<>();
    private long nextAddress = ALIGNMENT;

    /** @param parsed modules by name, which this adds to */
    PaperDevice(Gpu gpu, Map<String, PtxModule> parsed) {
        this.gpu = gpu;
        this.parsed = parsed;
    }

    /** What was launched since the last call. */
    List<Noted> takeLaunches() {
        List<Noted> taken = List.copyOf(launches);
        launches.clear();
        return taken;
    }

    @Override
    public String name() {
        return gpu.name() + " on paper";
    }

    @Override
    public ComputeCapability capability() {
        return gpu.capability();
    }

    @Override
    public int multiprocessors() {
        return gpu.multiprocessors();
    }

    @Override
    public long freeBytes() {
        return Long.MAX_VALUE;
    }

    @Override
    public long totalBytes() {
        return Long.MAX_VALUE;
    }

    @Override
    public GpuMemory allocate(long bytes) {
        long address = nextAddress;
        nextAddress += Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
        return new Memory(address, bytes);
    }

    private record Memory(long address, long byteSize) implements GpuMemory {
        @Override
        public void close() {}
    }

    @Override
    public GpuModule load(String name, String ptx) {
        return new Module(parsed.computeIfAbsent(name, key -> PtxModule.parse(key, ptx)));
    }

    private record Module(PtxModule ptx) implements GpuModule {
        @Override
        public GpuKernel kernel(String name) {
            return new Kernel(name, ptx.kernel(name).staticSharedBytes());
        }

        @Override
        public void close() {}
    }

    private record Kernel(String name, int staticSharedBytes) implements GpuKernel {
        @Override
        public void allowSharedBytes(int bytes) {}
    }

    @Override
    public GpuStream newStream() {
        return new Stream();
    }

    private final class Stream implements GpuStream {
        @Override
        public void copyIn(MemorySegment from, GpuMemory to, long offset) {}

        @Override
        public void copyOut(GpuMemory from, long offset, MemorySegment to) {}

        @Override
        public void copy(GpuMemory from, long fromOffset, GpuMemory to, long toOffset, long bytes) {}

        @Override
        public void fill(GpuMemory memory, long offset, long bytes, byte value) {}

        @Override
        public void launch(GpuKernel kernel, LaunchShape shape, KernelArguments arguments) {
            int shared = ((Kernel) kernel).staticSharedBytes() + shape.sharedBytes();
            launches.add(new Noted(kernel.name(), shape, shared));
        }

        @Override
        public void record(GpuEvent event) {}

        @Override
        public void await(GpuEvent event) {}

        @Override
        public GpuGraph capture(Runnable work) {
            throw new UnsupportedOperationException("a graph on paper");
        }

        @Override
        public void launch(GpuGraph graph) {
            throw new UnsupportedOperationException("a graph on paper");
        }

        @Override
        public void synchronize() {}

        @Override
        public void close() {}
    }

    @Override
    public GpuEvent newEvent() {
        throw new UnsupportedOperationException("an event on paper");
    }

    @Override
    public void synchronize() {}

    @Override
    public void close() {}
}
