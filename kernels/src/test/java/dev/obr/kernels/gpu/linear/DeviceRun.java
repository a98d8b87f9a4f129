package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.emulator.EmulatedDevice;
import dev.obr.kernels.emulator.EmulatedDeviceOptions;
import dev.obr.kernels.emulator.EmulatorOptions;
import dev.obr.kernels.emulator.LaunchCounters;
import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Collection;

/** A device, one stream, and host memory for one run of a kernel. */
public final class DeviceRun implements AutoCloseable {
    public static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    public static final ValueLayout.OfShort HALF = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final EmulatedDevice emulated;
    private final GpuStream stream;
    private final Arena arena = Arena.ofConfined();

    public DeviceRun(ComputeCapability capability, Schedule schedule) {
        emulated = new EmulatedDevice(EmulatedDeviceOptions.checked(capability)
                .withEmulator(EmulatorOptions.checked().withSchedule(schedule)));
        stream = emulated.newStream();
    }

    public GpuDevice device() {
        return emulated;
    }

    public GpuStream stream() {
        return stream;
    }

    public Arena arena() {
        return arena;
    }

    public GpuMemory upload(MemorySegment from) {
        GpuMemory memory = emulated.allocate(from.byteSize());
        stream.copyIn(from, memory, 0);
        return memory;
    }

    /** All of a memory, when the stream has passed. */
    public MemorySegment download(GpuMemory memory) {
        MemorySegment to = arena.allocate(memory.byteSize());
        stream.copyOut(memory, 0, to);
        stream.synchronize();
        return to;
    }

    /** Of the only kernel that ran. */
    public LaunchCounters counters() {
        return emulated.counters().values().iterator().next();
    }

    /** Of each kernel that ran. */
    public Collection<LaunchCounters> allCounters() {
        return emulated.counters().values();
    }

    @Override
    public void close() {
        emulated.close();
        arena.close();
    }
}
