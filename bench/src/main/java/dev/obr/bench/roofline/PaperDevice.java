package dev.obr.bench.roofline;

import dev.obr.kernels.emulator.PtxKernel;
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
import org.jspecify.annotations.Nullable;

/**
 * A device that notes what is launched: the grids of a large model without its memory, from the very code that launches them. What is behind it may run it, too.
 */
final class PaperDevice implements GpuDevice {
    static final long ALIGNMENT = 256;
    private static final long GAP = 1 << 16; // between two memories

    /** What is behind the paper: at once, in the order of the calls. */
    interface Backing {
        /** New memory of the device. */
        void allocated(long address, long bytes);

        /** What the host sees of it. */
        MemorySegment at(long address, long bytes);

        void launched(PtxKernel kernel, LaunchShape shape, KernelArguments arguments);
    }

    /**
     * A launch that was noted.
     *
     * @param sharedBytes of a block, static and dynamic
     */
    record Noted(String kernel, LaunchShape shape, int sharedBytes) {}

    private final Gpu gpu;
    private final Map<String, PtxModule> parsed;
    private final @Nullable Backing backing;
    private final List<Noted> launches = new ArrayList<>();
    private long nextAddress = ALIGNMENT;

    /**
     * @param parsed modules by name, which this adds to
     * @param backing what runs it, or nothing
     */
    PaperDevice(Gpu gpu, Map<String, PtxModule> parsed, @Nullable Backing backing) {
        this.gpu = gpu;
        this.parsed = parsed;
        this.backing = backing;
    }

    /** What was launched. */
    List<Noted> launches() {
        return List.copyOf(launches);
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
        return backing == null ? gpu.multiprocessors() : 1; // a sample's blocks share no columns
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
        nextAddress += Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT + GAP;
        if (backing != null) {
            backing.allocated(address, bytes);
        }
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
            return new Kernel(ptx.kernel(name));
        }

        @Override
        public void close() {}
    }

    private record Kernel(PtxKernel ptx) implements GpuKernel {
        @Override
        public String name() {
            return ptx.name();
        }

        @Override
        public void allowSharedBytes(int bytes) {}
    }

    @Override
    public GpuStream newStream() {
        return new Stream();
    }

    private final class Stream implements GpuStream {
        @Override
        public void copyIn(MemorySegment from, GpuMemory to, long offset) {
            if (backing != null) {
                backing.at(to.address() + offset, from.byteSize()).copyFrom(from);
            }
        }

        @Override
        public void copyOut(GpuMemory from, long offset, MemorySegment to) {
            throw new UnsupportedOperationException("results on paper");
        }

        @Override
        public void copy(GpuMemory from, long fromOffset, GpuMemory to, long toOffset, long bytes) {
            throw new UnsupportedOperationException("a copy on paper");
        }

        @Override
        public void fill(GpuMemory memory, long offset, long bytes, byte value) {
            if (backing != null) {
                backing.at(memory.address() + offset, bytes).fill(value);
            }
        }

        @Override
        public void launch(GpuKernel kernel, LaunchShape shape, KernelArguments arguments) {
            PtxKernel ptx = ((Kernel) kernel).ptx();
            launches.add(new Noted(ptx.name(), shape, ptx.staticSharedBytes() + shape.sharedBytes()));
            if (backing != null) {
                backing.launched(ptx, shape, arguments);
            }
        }

        @Override
        public void record(GpuEvent event) {
            throw new UnsupportedOperationException("an event on paper");
        }

        @Override
        public void await(GpuEvent event) {
            throw new UnsupportedOperationException("an event on paper");
        }

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
