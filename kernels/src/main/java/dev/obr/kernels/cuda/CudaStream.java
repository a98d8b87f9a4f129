package dev.obr.kernels.cuda;

import dev.obr.kernels.gpu.GpuEvent;
import dev.obr.kernels.gpu.GpuGraph;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import java.lang.foreign.MemorySegment;
import java.util.List;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/**
 * A stream of the driver.
 *
 * <p>Arrays cannot be copied while the collector may move them: heap segments go through {@link PinnedMemory}, a piece at a time, and the call waits for the stream. Segments outside the heap
 * are handed to the driver as they are, of any size.
 */
final class CudaStream extends CudaResource implements GpuStream {
    private static final String NO_HOST = "copies from and to the host cannot be recorded";

    private final CUstream stream;
    private boolean capturing;

    CudaStream(CudaDevice device, CUstream stream) {
        super(device, "the stream");
        this.stream = stream;
    }

    @Override
    public void copyIn(MemorySegment from, GpuMemory to, long offset) {
        CudaDevice device = enter();
        refuseInCapture(NO_HOST);
        CudaMemory target = device.own(to);
        target.at(device, offset, from.byteSize());
        if (from.isNative()) {
            copyIn(device, from, target, offset);
            return;
        }
        PinnedMemory pinned = device.pinned();
        pinned.forEachPiece(from, (piece, at) -> {
            pinned.segment(piece.byteSize()).copyFrom(piece);
            copyIn(device, pinned.segment(piece.byteSize()), target, offset + at);
            synchronize();
        });
    }

    private void copyIn(CudaDevice device, MemorySegment from, CudaMemory to, long offset) {
        if (from.byteSize() > 0) {
            device.check(
                    JCudaDriver.cuMemcpyHtoDAsync(
                            to.at(device, offset, from.byteSize()), new HostAddress(from), from.byteSize(), stream),
                    "cuMemcpyHtoDAsync");
        }
    }

    @Override
    public void copyOut(GpuMemory from, long offset, MemorySegment to) {
        CudaDevice device = enter();
        refuseInCapture(NO_HOST);
        CudaMemory source = device.own(from);
        source.at(device, offset, to.byteSize());
        if (to.isReadOnly()) {
            throw new IllegalArgumentException("cannot copy into a read-only segment");
        }
        if (to.isNative()) {
            copyOut(device, source, offset, to);
            return;
        }
        PinnedMemory pinned = device.pinned();
        pinned.forEachPiece(to, (piece, at) -> {
            copyOut(device, source, offset + at, pinned.segment(piece.byteSize()));
            synchronize();
            piece.copyFrom(pinned.segment(piece.byteSize()));
        });
    }

    private void copyOut(CudaDevice device, CudaMemory from, long offset, MemorySegment to) {
        if (to.byteSize() > 0) {
            device.check(
                    JCudaDriver.cuMemcpyDtoHAsync(
                            new HostAddress(to), from.at(device, offset, to.byteSize()), to.byteSize(), stream),
                    "cuMemcpyDtoHAsync");
        }
    }

    @Override
    public void copy(GpuMemory from, long fromOffset, GpuMemory to, long toOffset, long bytes) {
        CudaDevice device = enter();
        var source = device.own(from).at(device, fromOffset, bytes);
        var target = device.own(to).at(device, toOffset, bytes);
        if (bytes > 0) {
            device.check(JCudaDriver.cuMemcpyDtoDAsync(target, source, bytes, stream), "cuMemcpyDtoDAsync");
        }
    }

    @Override
    public void fill(GpuMemory memory, long offset, long bytes, byte value) {
        CudaDevice device = enter();
        var target = device.own(memory).at(device, offset, bytes);
        if (bytes > 0) {
            device.check(JCudaDriver.cuMemsetD8Async(target, value, bytes, stream), "cuMemsetD8Async");
        }
    }

    @Override
    public void launch(GpuKernel kernel, LaunchShape shape, KernelArguments arguments) {
        CudaDevice device = enter();
        List<KernelArguments.Argument> list = arguments.list();
        CUfunction function = device.own(kernel).function(device, shape, list);
        int result = JCudaDriver.cuLaunchKernel(
                function,
                shape.grid().x(),
                shape.grid().y(),
                shape.grid().z(),
                shape.block().x(),
                shape.block().y(),
                shape.block().z(),
                shape.sharedBytes(),
                stream,
                device.launchParameters().of(list),
                null);
        device.launched(kernel.name());
        device.check(
                result,
                "launching " + kernel.name() + " on " + shape.grid() + " blocks of " + shape.block() + " threads");
    }

    @Override
    public void record(GpuEvent event) {
        CudaDevice device = enter();
        refuseInCapture("events cannot be recorded in a graph");
        device.check(JCudaDriver.cuEventRecord(device.own(event).toRecord(device), stream), "cuEventRecord");
    }

    @Override
    public void await(GpuEvent event) {
        CudaDevice device = enter();
        refuseInCapture("a graph waits for no events");
        device.check(JCudaDriver.cuStreamWaitEvent(stream, device.own(event).recorded(device), 0), "cuStreamWaitEvent");
    }

    @Override
    public GpuGraph capture(Runnable work) {
        CudaDevice device = enter();
        refuseInCapture("a recording cannot begin within another");
        device.check(
                JCudaDriver.cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
                "cuStreamBeginCapture");
        CUgraph recorded = new CUgraph();
        boolean complete = false;
        int ended;
        capturing = true;
        device.recording(true);
        try {
            work.run();
            complete = true;
        } finally { // also after a failure: a stream that goes on recording is of no use
            capturing = false;
            device.recording(false);
            ended = JCudaDriver.cuStreamEndCapture(stream, recorded);
            if (!complete && ended == CUresult.CUDA_SUCCESS) {
                ended = JCudaDriver.cuGraphDestroy(recorded);
            }
        }
        device.check(ended, "cuStreamEndCapture");
        CUgraphExec executable = new CUgraphExec();
        int instantiated = JCudaDriver.cuGraphInstantiate(executable, recorded, 0);
        int destroyed = JCudaDriver.cuGraphDestroy(recorded);
        device.check(instantiated, "cuGraphInstantiate");
        device.check(destroyed, "cuGraphDestroy");
        return new CudaGraph(device, executable);
    }

    @Override
    public void launch(GpuGraph graph) {
        CudaDevice device = enter();
        refuseInCapture("a graph cannot be recorded in another");
        device.check(JCudaDriver.cuGraphLaunch(device.own(graph).executable(device), stream), "cuGraphLaunch");
    }

    /** The driver's stream, for libraries that queue work of their own; they cannot be recorded here. */
    CUstream handle() {
        enter();
        refuseInCapture("libraries queue nothing in a recording");
        return stream;
    }

    @Override
    public void synchronize() {
        CudaDevice device = enter();
        refuseInCapture("nothing that waits can be recorded");
        device.check(JCudaDriver.cuStreamSynchronize(stream), "cuStreamSynchronize");
    }

    private void refuseInCapture(String sentence) {
        if (capturing) {
            throw new IllegalStateException(sentence);
        }
    }

    @Override
    int free() {
        return JCudaDriver.cuStreamDestroy(stream);
    }
}
