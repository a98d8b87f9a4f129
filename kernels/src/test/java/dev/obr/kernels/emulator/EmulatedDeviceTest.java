package dev.obr.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuDeviceContract;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The contract over the emulator, and what it catches that a driver lets pass. */
class EmulatedDeviceTest extends GpuDeviceContract {
    @Override
    protected GpuDevice open() {
        return new EmulatedDevice(ComputeCapability.SM_80);
    }

    @Test
    void aResultIsNotThereBeforeAnybodyWaits() {
        GpuMemory memory = device().allocate(4);
        GpuStream stream = device().newStream();
        byte[] out = {1, 1, 1, 1};
        stream.fill(memory, 0, 4, (byte) 9);
        stream.copyOut(memory, 0, MemorySegment.ofArray(out));
        assertThat(out).containsOnly(EmulatedStream.POISON);
        stream.synchronize();
        assertThat(out).containsOnly(9);
    }

    @Test
    void withoutAnEventTheNewestStreamRunsFirst() {
        GpuMemory memory = device().allocate(4);
        GpuStream first = device().newStream();
        GpuStream second = device().newStream();
        byte[] out = new byte[4];
        first.fill(memory, 0, 4, (byte) 1);
        second.copyOut(memory, 0, MemorySegment.ofArray(out));
        second.fill(memory, 0, 4, (byte) 2);
        device().synchronize();
        assertThat(out).as("read before the first stream wrote").doesNotContain(1);
    }

    @Test
    void whatIsCopiedFromStaysAsItIs() {
        GpuMemory memory = device().allocate(4);
        GpuStream stream = device().newStream();
        byte[] in = new byte[4];
        stream.copyIn(MemorySegment.ofArray(in), memory, 0);
        in[3] = 1;
        assertThatThrownBy(stream::synchronize)
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("host memory changed before its copy ran");
    }

    @Test
    void whatIsCopiedFromLives() {
        GpuMemory memory = device().allocate(4);
        GpuStream stream = device().newStream();
        try (Arena brief = Arena.ofConfined()) {
            stream.copyIn(brief.allocate(4), memory, 0);
        }
        assertThatThrownBy(device()::synchronize)
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("host memory was freed before its copy ran");
        assertThatThrownBy(() -> device().allocate(1))
                .isInstanceOf(ObrException.class)
                .hasMessageContainingAll("failed before", "host memory was freed");
    }

    @Test
    void addressesAreNotUsedAgain() {
        GpuMemory first = device().allocate(4);
        long address = first.address();
        first.close();
        assertThat(device().allocate(4).address()).isGreaterThan(address + 4);
    }

    @Test
    void limitsAreThoseOfTheArchitecture() {
        assertThat(limit(ComputeCapability.SM_80)).isEqualTo(163 << 10);
        assertThat(limit(ComputeCapability.SM_86)).isEqualTo(99 << 10);
        assertThat(limit(ComputeCapability.SM_89)).isEqualTo(99 << 10);
        assertThat(limit(ComputeCapability.SM_90)).isEqualTo(227 << 10);
        try (EmulatedDevice small = new EmulatedDevice(
                EmulatedDeviceOptions.checked(ComputeCapability.SM_80).withMemoryBytes(1000))) {
            GpuMemory most = small.allocate(990);
            assertThatThrownBy(() -> small.allocate(11)).hasMessageContaining("11 bytes needed, 10 of 1000 free");
            most.close();
            assertThat(small.allocate(1000).byteSize()).isEqualTo(small.totalBytes());
        }
    }

    private static int limit(ComputeCapability capability) {
        return EmulatedDeviceOptions.checked(capability).sharedBytesLimit();
    }

    @Test
    void leaksAreReported() {
        EmulatedDevice leaky = new EmulatedDevice(ComputeCapability.SM_80);
        leaky.allocate(77);
        GpuStream closed = leaky.newStream();
        closed.close();
        leaky.newEvent();
        leaky.close();
        assertThat(leaky.leaks()).containsExactly("77 bytes of GPU memory", "the event");
    }

    @Test
    void uninitialisedMemoryStaysSoWhenCopied() {
        EmulatedDevice device = (EmulatedDevice) device();
        GpuMemory from = device.allocate(8);
        GpuMemory to = device.allocate(8);
        GpuStream stream = device.newStream();
        stream.copyIn(MemorySegment.ofArray(new byte[3]), from, 2);
        stream.copy(from, 0, to, 0, 8);
        stream.synchronize();
        assertThat(device.memory().uninitialisedBytes(to.address(), 8)).isEqualTo(5);
        byte[] out = new byte[8];
        stream.copyOut(to, 0, MemorySegment.ofArray(out));
        stream.synchronize();
        assertThat(MemorySegment.ofArray(out).get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) -1);
    }

    /** One warp multiplies zeros of 4 bits. */
    private static final String INT4 = """
            .version 7.1
            .target sm_80
            .address_size 64
            .visible .entry multiply()
            {
                .reg .b32 %r<6>;
                mov.u32 %r1, 0;
                mma.sync.aligned.m16n8k64.row.col.s32.s4.s4.s32 {%r2, %r3, %r4, %r5}, {%r1, %r1, %r1, %r1}, {%r1, %r1}, {%r1, %r1, %r1, %r1};
                ret;
            }
            """;

    @Test
    void whatWouldBeSlowIsNoted() {
        for (ComputeCapability capability : List.of(ComputeCapability.SM_89, ComputeCapability.SM_90)) {
            try (EmulatedDevice device = new EmulatedDevice(capability)) {
                GpuStream stream = device.newStream();
                stream.launch(
                        device.load("int4.ptx", INT4).kernel("multiply"),
                        LaunchShape.of(1, 32, 0),
                        new KernelArguments());
                stream.synchronize();
                assertThat(device.notes()).hasSize(capability.multipliesInt4() ? 0 : 1);
                assertThat(String.join("", device.notes())).matches("|.* multiply multiplies 4-bit integers.*sm_90.*");
            }
        }
    }

    @Test
    void countersAreSummedByKernel() {
        EmulatedDevice device = (EmulatedDevice) device();
        GpuStream stream = device.newStream();
        GpuKernel multiply = device.load("int4.ptx", INT4).kernel("multiply");
        stream.launch(multiply, LaunchShape.of(2, 32, 0), new KernelArguments());
        stream.launch(multiply, LaunchShape.of(1, 64, 0), new KernelArguments());
        assertThat(device.counters()).as("queued, not run").isEmpty();
        stream.synchronize();
        assertThat(device.counters()).containsOnlyKeys("multiply");
        assertThat(device.counters().values()).extracting(LaunchCounters::mma).containsExactly(4L);
        device.resetCounters();
        assertThat(device.counters()).isEmpty();
    }

    @Test
    void aNewerGpusModuleIsRefused() {
        String newer = INT4.replace("sm_80", "sm_90");
        assertThatThrownBy(() -> device().load("newer.ptx", newer))
                .isInstanceOf(ObrException.class)
                .hasMessageContainingAll("newer.ptx", "sm_90", "sm_80");
    }
}
