package dev.obr.kernels.emulator;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuEvent;
import dev.obr.kernels.gpu.GpuGraph;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.function.BooleanSupplier;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** A queue whose work runs when somebody waits for it. */
final class EmulatedStream extends EmulatedResource implements GpuStream {
    /** What the target of a copy to the host holds until somebody has waited. */
    static final byte POISON = (byte) 0xD5;

    private static final String NO_HOST = "copies from and to the host cannot be recorded";
    private static final int CHECKSUM_PIECE = 1 << 16;

    private final Queue<Runnable> queue = new ArrayDeque<>();
    private @Nullable List<Runnable> recording;

    EmulatedStream(EmulatedDevice device) {
        super(device, "the stream");
    }

    @Override
    public void copyIn(MemorySegment from, GpuMemory to, long offset) {
        enter();
        refuseInCapture(NO_HOST);
        EmulatedMemory target = device().own(to, EmulatedMemory.class);
        long address = target.at(device(), offset, from.byteSize());
        if (from.byteSize() == 0) {
            return;
        }
        long checksum = checksum(from);
        queue(() -> {
            if (!from.scope().isAlive()) {
                throw new ObrException("host memory was freed before its copy ran: wait for the stream first");
            }
            if (checksum(from) != checksum) {
                throw new ObrException("host memory changed before its copy ran: wait for the stream first");
            }
            target.bytes(offset, from.byteSize()).copyFrom(from);
            device().memory().markInitialised(address, from.byteSize());
        });
    }

    @Override
    public void copyOut(GpuMemory from, long offset, MemorySegment to) {
        enter();
        refuseInCapture(NO_HOST);
        EmulatedMemory source = device().own(from, EmulatedMemory.class);
        source.at(device(), offset, to.byteSize());
        if (to.isReadOnly()) {
            throw new IllegalArgumentException("cannot copy into a read-only segment");
        }
        to.fill(POISON);
        queue(() -> to.copyFrom(source.bytes(offset, to.byteSize())));
    }

    @Override
    public void copy(GpuMemory from, long fromOffset, GpuMemory to, long toOffset, long bytes) {
        enter();
        EmulatedMemory source = device().own(from, EmulatedMemory.class);
        EmulatedMemory target = device().own(to, EmulatedMemory.class);
        long sourceAddress = source.at(device(), fromOffset, bytes);
        long targetAddress = target.at(device(), toOffset, bytes);
        if (bytes > 0) {
            queue(() -> device().memory().copy(sourceAddress, targetAddress, bytes));
        }
    }

    @Override
    public void fill(GpuMemory memory, long offset, long bytes, byte value) {
        enter();
        EmulatedMemory target = device().own(memory, EmulatedMemory.class);
        long address = target.at(device(), offset, bytes);
        if (bytes > 0) {
            queue(() -> {
                target.bytes(offset, bytes).fill(value);
                device().memory().markInitialised(address, bytes);
            });
        }
    }

    @Override
    public void launch(GpuKernel kernel, LaunchShape shape, KernelArguments arguments) {
        enter();
        Launch launch = device().own(kernel, EmulatedKernel.class).launch(device(), shape, arguments.list());
        queue(() -> device().run(launch));
    }

    @Override
    public void record(GpuEvent event) {
        enter();
        refuseInCapture("events cannot be recorded in a graph");
        EmulatedEvent point = device().own(event, EmulatedEvent.class);
        point.requireOf(device());
        queue.add(point.record(this));
    }

    @Override
    public void await(GpuEvent event) {
        enter();
        refuseInCapture("a graph waits for no events");
        EmulatedEvent point = device().own(event, EmulatedEvent.class);
        point.requireOf(device());
        queue.add(point.await());
    }

    @Override
    public GpuGraph capture(Runnable work) {
        enter();
        refuseInCapture("a recording cannot begin within another");
        List<Runnable> recorded = new ArrayList<>();
        recording = recorded;
        device().recording(true);
        try {
            work.run();
        } finally {
            recording = null;
            device().recording(false);
        }
        return new EmulatedGraph(device(), recorded);
    }

    @Override
    public void launch(GpuGraph graph) {
        enter();
        refuseInCapture("a graph cannot be recorded in another");
        queue.addAll(device().own(graph, EmulatedGraph.class).work(device()));
    }

    @Override
    public void synchronize() {
        enter();
        refuseInCapture("nothing that waits can be recorded");
        runQueue();
    }

    void runQueue() {
        runUntil(() -> false);
    }

    /** Runs queued work in order until {@code reached}, or to the end of the queue. */
    void runUntil(BooleanSupplier reached) {
        while (!reached.getAsBoolean() && !queue.isEmpty()) {
            try {
                queue.remove().run();
            } catch (RuntimeException e) {
                device().fail(e);
                throw e;
            }
        }
    }

    /** Takes work to be run later, or to be recorded. */
    private void queue(Runnable work) {
        List<Runnable> recorded = recording;
        if (recorded == null) {
            queue.add(work);
        } else {
            recorded.add(work);
        }
    }

    private void refuseInCapture(String sentence) {
        if (recording != null) {
            throw new IllegalStateException(sentence);
        }
    }

    private static long checksum(MemorySegment segment) {
        CRC32C checksum = new CRC32C();
        byte[] piece = new byte[CHECKSUM_PIECE];
        for (long at = 0; at < segment.byteSize(); at += CHECKSUM_PIECE) {
            int bytes = (int) Math.min(CHECKSUM_PIECE, segment.byteSize() - at);
            MemorySegment.copy(segment, at, MemorySegment.ofArray(piece), 0, bytes);
            checksum.update(piece, 0, bytes);
        }
        return checksum.getValue();
    }

    @Override
    void free() {
        if (!device().failed()) {
            runQueue();
        }
    }
}
