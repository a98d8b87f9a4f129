package dev.obr.kernels.emulator;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuEvent;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import org.jspecify.annotations.Nullable;

/**
 * A GPU without a GPU: PTX runs in the {@link Emulator}, with the limits of a chosen architecture.
 *
 * <p>It is stricter than a driver, so that what passes here is right on any:
 *
 * <ul>
 *   <li>Streams are lazy. Queued work runs when somebody waits for it, the newest stream first: who reads a result without waiting finds {@link EmulatedStream#POISON}, and who forgets an
 *       event between two streams gets them in the wrong order.
 *   <li>Host memory that changes, or is closed, between a copy's queueing and its running is an error.
 *   <li>Addresses are never used twice, and lie apart: a freed pointer and an index past the end hit nothing.
 *   <li>A kernel that reads what nobody wrote fails (with {@link EmulatorOptions#check}).
 * </ul>
 *
 * <p>A failed kernel leaves the device as it leaves a GPU: every later call fails with the same words.
 */
public final class EmulatedDevice implements GpuDevice {
    private static final long FIRST_ADDRESS = 0x7_0000_0000L;
    private static final long ALIGNMENT = 256;
    private static final long GAP = 1L << 16;

    private final EmulatedDeviceOptions options;
    private final Emulator emulator;
    private final GlobalMemory memory = new GlobalMemory();

    /** What is not closed yet, in the order it was made. */
    private final SequencedSet<EmulatedResource> open = new LinkedHashSet<>();

    private final Map<String, LaunchCounters> counters = new LinkedHashMap<>();
    private final SequencedSet<String> notes = new LinkedHashSet<>();
    private List<String> leaks = List.of();
    private long nextAddress = FIRST_ADDRESS;
    private long usedBytes;
    private @Nullable RuntimeException failure;
    private boolean recording;
    private boolean closed;

    public EmulatedDevice(EmulatedDeviceOptions options) {
        this.options = options;
        emulator = new Emulator(options.emulator());
    }

    /** With everything checked. */
    public EmulatedDevice(ComputeCapability capability) {
        this(EmulatedDeviceOptions.checked(capability));
    }

    @Override
    public String name() {
        return "PTX emulator as " + options.capability();
    }

    @Override
    public ComputeCapability capability() {
        return options.capability();
    }

    @Override
    public int multiprocessors() {
        return options.multiprocessors();
    }

    @Override
    public long freeBytes() {
        enter();
        return options.memoryBytes() - usedBytes;
    }

    @Override
    public long totalBytes() {
        enter();
        return options.memoryBytes();
    }

    @Override
    public GpuMemory allocate(long bytes) {
        enter();
        refuseInRecording();
        if (bytes < 1) {
            throw new IllegalArgumentException("memory has 1 byte at least, not " + bytes);
        }
        if (bytes > options.memoryBytes() - usedBytes) {
            throw GpuDevice.outOfMemory(this, bytes);
        }
        if (bytes > Integer.MAX_VALUE) {
            throw new ObrException(
                    "the emulator notes what was written byte by byte, up to 2^31 - 1 bytes of one memory, not " + bytes
                            + ": allocate less at once");
        }
        long address = nextAddress;
        nextAddress = Math.ceilDiv(address + bytes + GAP, ALIGNMENT) * ALIGNMENT;
        usedBytes += bytes;
        return new EmulatedMemory(this, address, bytes);
    }

    @Override
    public GpuModule load(String name, String ptx) {
        enter();
        refuseInRecording();
        PtxModule module = PtxModule.parse(name, ptx);
        if (module.target().compareTo(options.capability()) > 0) {
            throw new ObrException(this + ": " + name + " is made for " + module.target() + ", a newer GPU");
        }
        return new EmulatedModule(this, name, module);
    }

    @Override
    public GpuStream newStream() {
        enter();
        return new EmulatedStream(this);
    }

    @Override
    public GpuEvent newEvent() {
        enter();
        return new EmulatedEvent(this);
    }

    @Override
    public void synchronize() {
        enter();
        refuseInRecording();
        runStreams();
    }

    /** What the launches since {@link #resetCounters} did, summed by kernel in the order of their first launches. */
    public Map<String, LaunchCounters> counters() {
        return new LinkedHashMap<>(counters);
    }

    public void resetCounters() {
        counters.clear();
    }

    /** What runs here but would be slow on such a GPU, a sentence each. */
    public List<String> notes() {
        return List.copyOf(notes);
    }

    /** What {@link #close} had to free, which its owner had not. */
    public List<String> leaks() {
        return leaks;
    }

    /** Runs what is queued, frees what is still open, the latest first, and remembers it as {@link #leaks}. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        leaks = open.stream().map(EmulatedResource::toString).toList();
        try {
            if (failure == null) {
                runStreams();
            }
        } finally {
            List.copyOf(open.reversed()).forEach(EmulatedResource::close);
            closed = true;
        }
    }

    /** Before each call: a device that is closed or failed does nothing more. */
    void enter() {
        if (closed) {
            throw new IllegalStateException("the device " + this + " is closed");
        }
        if (failure != null) {
            throw new ObrException(this + " failed before: " + failure.getMessage(), failure);
        }
    }

    /** A stream begins or ends a recording. */
    void recording(boolean now) {
        recording = now;
    }

    /** Drivers refuse these calls while a stream records. */
    void refuseInRecording() {
        if (recording) {
            throw new IllegalStateException(
                    "a stream records a graph: nothing is allocated, loaded, freed or waited for until it ends");
        }
    }

    /** Runs everything that is queued, the newest stream first. */
    void runStreams() {
        for (EmulatedResource resource : List.copyOf(open.reversed())) {
            if (resource instanceof EmulatedStream stream) {
                stream.runQueue();
            }
        }
    }

    /** Runs a kernel now. */
    void run(Launch launch) {
        LaunchCounters counted = emulator.launch(launch.kernel(), launch.shape(), launch.arguments(), memory);
        counters.merge(launch.kernel().name(), counted, LaunchCounters::plus);
        boolean int4 = counted.mmaByShape().keySet().stream().anyMatch(shape -> shape.matches(".*[su]4\\b.*"));
        if (int4 && !options.capability().multipliesInt4()) {
            notes.add("the kernel " + launch.kernel().name() + " multiplies 4-bit integers, which tensor cores of "
                    + options.capability() + " cannot: a GPU would emulate that, some 50 times slower");
        }
    }

    /** Marks the device as failed; what is still queued never runs. */
    void fail(RuntimeException e) {
        failure = e;
    }

    boolean failed() {
        return failure != null;
    }

    GlobalMemory memory() {
        return memory;
    }

    int sharedBytesLimit() {
        return options.sharedBytesLimit();
    }

    void keep(EmulatedResource resource) {
        open.add(resource);
    }

    void forget(EmulatedResource resource) {
        open.remove(resource);
    }

    void freed(long bytes) {
        usedBytes -= bytes;
    }

    <T> T own(Object thing, Class<T> type) {
        if (!type.isInstance(thing)) {
            throw new IllegalArgumentException(thing + " belongs to another device than " + this);
        }
        return type.cast(thing);
    }

    @Override
    public String toString() {
        return name();
    }
}
