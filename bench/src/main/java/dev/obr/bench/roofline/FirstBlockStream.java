package dev.obr.bench.roofline;

import dev.obr.kernels.gpu.GpuEvent;
import dev.obr.kernels.gpu.GpuGraph;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import java.lang.foreign.MemorySegment;

/** A stream that runs of each launch the first block alone: for kernels of whose blocks each does the same and none asks for the grid's extents. */
record FirstBlockStream(GpuStream stream) implements GpuStream {
    @Override
    public void launch(GpuKernel kernel, LaunchShape shape, KernelArguments arguments) {
        stream.launch(
                kernel, new LaunchShape(new LaunchShape.Dim(1, 1, 1), shape.block(), shape.sharedBytes()), arguments);
    }

    @Override
    public void copyIn(MemorySegment from, GpuMemory to, long offset) {
        stream.copyIn(from, to, offset);
    }

    @Override
    public void copyOut(GpuMemory from, long offset, MemorySegment to) {
        stream.copyOut(from, offset, to);
    }

    @Override
    public void copy(GpuMemory from, long fromOffset, GpuMemory to, long toOffset, long bytes) {
        stream.copy(from, fromOffset, to, toOffset, bytes);
    }

    @Override
    public void fill(GpuMemory memory, long offset, long bytes, byte value) {
        stream.fill(memory, offset, bytes, value);
    }

    @Override
    public void record(GpuEvent event) {
        stream.record(event);
    }

    @Override
    public void await(GpuEvent event) {
        stream.await(event);
    }

    @Override
    public GpuGraph capture(Runnable work) {
        return stream.capture(work);
    }

    @Override
    public void launch(GpuGraph graph) {
        stream.launch(graph);
    }

    @Override
    public void synchronize() {
        stream.synchronize();
    }

    @Override
    public void close() {
        stream.close();
    }
}
