package dev.obr.kernels.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every {@link GpuDevice} does, whoever runs the kernels. */
@SuppressWarnings("NullAway.Init")
public abstract class GpuDeviceContract {
    /** More than one piece of what a device stages arrays through, and an odd number of bytes. */
    private static final int LONG_ARRAY = (9 << 20) + 3;

    private static final int N = 1000; // not a multiple of a block

    private GpuDevice device;
    private Arena arena;

    /** A new device, sm_80 or newer. */
    protected abstract GpuDevice open();

    /** Why a kernel must not fail here; empty where one may. */
    protected String whyNoKernelMayFail() {
        return "";
    }

    protected final GpuDevice device() {
        return device;
    }

    @BeforeEach
    void openDevice() {
        device = open();
        arena = Arena.ofShared();
    }

    @AfterEach
    void closeDevice() {
        if (device != null) { // there may be none to test
            device.close();
            arena.close();
        }
    }

    private MemorySegment floats(float... values) {
        return arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
    }

    private static float[] counting(int n, float first) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = first + i;
        }
        return values;
    }

    private static LaunchShape shapeOf(int n) {
        return LaunchShape.of(Math.ceilDiv(n, 128), 128, 0);
    }

    @Test
    void saysWhatItIs() {
        assertThat(device.name()).isNotBlank();
        assertThat(device.capability()).isGreaterThanOrEqualTo(ComputeCapability.SM_80);
        assertThat(device.multiprocessors()).isPositive();
        assertThat(device.freeBytes()).isBetween(1L, device.totalBytes());
    }

    @Test
    void memoryIsAlignedAndApart() {
        GpuMemory first = device.allocate(1);
        GpuMemory second = device.allocate(1000);
        assertThat(first.byteSize()).isEqualTo(1);
        assertThat(second.byteSize()).isEqualTo(1000);
        for (GpuMemory memory : List.of(first, second)) {
            assertThat(memory.address()).isPositive();
            assertThat(memory.address() % 256).isZero();
        }
        assertThat(first.address()).isNotEqualTo(second.address());
        assertThatThrownBy(() -> device.allocate(0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void outOfMemoryNamesTheNeedAndWhatIsFree() {
        long needed = device.totalBytes() + 1;
        assertThatThrownBy(() -> device.allocate(needed))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("out of memory: " + needed + " bytes needed, ")
                .hasMessageContaining(" of " + device.totalBytes() + " free");
        device.allocate(1).close(); // and goes on
    }

    @Test
    void freedMemoryCanBeHadAgain() {
        long half = device.freeBytes() / 2 + 1;
        for (int i = 0; i < 4; i++) {
            device.allocate(half).close();
        }
    }

    @Test
    void copiesRangesInAndOut() {
        GpuMemory memory = device.allocate(16);
        GpuStream stream = device.newStream();
        MemorySegment out = arena.allocate(16);
        stream.fill(memory, 0, 16, (byte) 7);
        stream.fill(memory, 15, 1, (byte) -1);
        stream.copyIn(arena.allocateFrom(ValueLayout.JAVA_BYTE, (byte) 1, (byte) 2, (byte) 3), memory, 5);
        stream.copyIn(arena.allocate(8).asSlice(3, 0), memory, 16); // nothing, at the very end
        stream.copyOut(memory, 0, out);
        stream.synchronize();
        assertThat(out.toArray(ValueLayout.JAVA_BYTE)).containsExactly(7, 7, 7, 7, 7, 1, 2, 3, 7, 7, 7, 7, 7, 7, 7, -1);
        stream.copyOut(memory, 6, out.asSlice(0, 2));
        stream.synchronize();
        assertThat(out.asSlice(0, 3).toArray(ValueLayout.JAVA_BYTE)).containsExactly(2, 3, 7);
    }

    @Test
    void copiesArrays() {
        byte[] bytes = new byte[LONG_ARRAY];
        IntStream.range(0, LONG_ARRAY).forEach(i -> bytes[i] = (byte) (i * 31 + (i >> 13)));
        GpuMemory memory = device.allocate(LONG_ARRAY + 1);
        GpuStream stream = device.newStream();
        stream.copyIn(MemorySegment.ofArray(bytes).asReadOnly(), memory, 1);
        byte[] back = new byte[LONG_ARRAY];
        stream.copyOut(memory, 1, MemorySegment.ofArray(back));
        stream.synchronize();
        assertThat(Arrays.equals(back, bytes)).isTrue();
        float[] floats = new float[2];
        stream.copyIn(MemorySegment.ofArray(new float[] {1.5f, -2}), memory, 4);
        stream.copyOut(memory, 4, MemorySegment.ofArray(floats));
        stream.synchronize();
        assertThat(floats).containsExactly(1.5f, -2);
    }

    @Test
    void copiesWithinTheDevice() {
        GpuMemory from = device.allocate(8);
        GpuMemory to = device.allocate(8);
        GpuStream stream = device.newStream();
        MemorySegment out = arena.allocate(8);
        stream.copyIn(arena.allocateFrom(ValueLayout.JAVA_LONG, 0x0807060504030201L), from, 0);
        stream.fill(to, 0, 8, (byte) 0);
        stream.copy(from, 1, to, 4, 3);
        stream.copyOut(to, 0, out);
        stream.synchronize();
        assertThat(out.toArray(ValueLayout.JAVA_BYTE)).containsExactly(0, 0, 0, 0, 2, 3, 4, 0);
    }

    @Test
    void rangesAreChecked() {
        GpuMemory memory = device.allocate(16);
        GpuStream stream = device.newStream();
        MemorySegment nine = arena.allocate(9);
        assertThatThrownBy(() -> stream.copyIn(nine, memory, 8))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessageContaining("9 bytes from 8 on, of 16 bytes");
        assertThatThrownBy(() -> stream.copyOut(memory, -1, nine)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> stream.fill(memory, 16, 1, (byte) 0)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> stream.copy(memory, 0, memory, Long.MAX_VALUE, 2))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> stream.copyOut(memory, 0, nine.asReadOnly()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void runsAKernel() {
        GpuKernel add = device.load("contract.ptx", ContractPtx.TEXT).kernel("add");
        assertThat(add.name()).isEqualTo("add");
        GpuMemory a = device.allocate(4 * N);
        GpuMemory sum = device.allocate(4 * N + 8);
        GpuStream stream = device.newStream();
        stream.copyIn(floats(counting(N, 0)), a, 0);
        stream.fill(sum, 0, 4 * N + 8, (byte) 0);
        stream.launch(
                add,
                shapeOf(N),
                new KernelArguments()
                        .pointer(sum, 4)
                        .pointer(a)
                        .pointer(a)
                        .f32(0.5f)
                        .i32(N));
        MemorySegment out = arena.allocate(4 * N + 8, 4);
        stream.copyOut(sum, 0, out);
        stream.synchronize();
        float[] expected = new float[N + 2];
        for (int i = 0; i < N; i++) {
            expected[i + 1] = 1.5f * i;
        }
        assertThat(out.toArray(ValueLayout.JAVA_FLOAT)).containsExactly(expected);
    }

    @Test
    void eventsOrderStreams() {
        GpuKernel add = device.load("contract.ptx", ContractPtx.TEXT).kernel("add");
        GpuMemory memory = device.allocate(4 * N);
        GpuMemory doubled = device.allocate(4 * N);
        MemorySegment out = arena.allocate(4 * N, 4);
        try (GpuStream first = device.newStream();
                GpuStream second = device.newStream();
                GpuEvent written = device.newEvent();
                GpuEvent done = device.newEvent()) {
            first.copyIn(floats(counting(N, 1)), memory, 0);
            first.record(written);
            second.await(written);
            second.launch(
                    add,
                    shapeOf(N),
                    new KernelArguments()
                            .pointer(doubled)
                            .pointer(memory)
                            .pointer(memory)
                            .f32(1)
                            .i32(N));
            second.copyOut(doubled, 0, out);
            second.record(done);
            done.synchronize();
            assertThat(out.getAtIndex(ValueLayout.JAVA_FLOAT, N - 1)).isEqualTo(2f * N);
            assertThat(done.millisSince(written)).isNotNegative();

            first.fill(memory, 0, 4 * N, (byte) 0); // an event is recorded anew
            first.record(written);
            second.await(written);
            second.copyOut(memory, 0, out);
            device.synchronize();
            assertThat(out.getAtIndex(ValueLayout.JAVA_FLOAT, N - 1)).isZero();
        }
    }

    @Test
    void eventsAreRecordedBeforeAnybodyWaits() {
        GpuStream stream = device.newStream();
        GpuEvent event = device.newEvent();
        assertThatThrownBy(event::synchronize)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the event has not been recorded");
        assertThatThrownBy(() -> stream.await(event)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> event.millisSince(event)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void graphsReplayWhatWasRecorded() {
        GpuKernel add = device.load("contract.ptx", ContractPtx.TEXT).kernel("add");
        GpuMemory in = device.allocate(4 * N);
        GpuMemory sum = device.allocate(4 * N);
        GpuMemory last = device.allocate(8);
        MemorySegment from = floats(counting(N, 1));
        MemorySegment to = arena.allocate(8, 8);
        GpuStream stream = device.newStream();
        stream.copyIn(from, in, 0);
        stream.fill(sum, 0, 4 * N, (byte) 0);
        stream.fill(last, 0, 8, (byte) 0);
        GpuGraph graph = stream.capture(() -> {
            stream.launch(
                    add,
                    shapeOf(N),
                    new KernelArguments()
                            .pointer(sum)
                            .pointer(sum)
                            .pointer(in)
                            .f32(1)
                            .i32(N));
            stream.copy(sum, 4 * N - 4, last, 4, 4);
            stream.fill(last, 0, 1, (byte) 3);
        });
        stream.copyOut(last, 0, to);
        stream.synchronize();
        assertThat(to.get(ValueLayout.JAVA_LONG, 0)).as("recorded, not run").isZero();
        stream.launch(graph);
        stream.launch(graph);
        stream.copyOut(last, 0, to);
        stream.synchronize();
        assertThat(to.getAtIndex(ValueLayout.JAVA_FLOAT, 1)).isEqualTo(2f * N);
        assertThat(to.get(ValueLayout.JAVA_INT, 0)).isEqualTo(3);
        from.fill((byte) 0); // other values at the same addresses
        stream.copyIn(from, in, 0);
        stream.launch(graph);
        stream.copyOut(last, 0, to);
        stream.synchronize();
        assertThat(to.getAtIndex(ValueLayout.JAVA_FLOAT, 1)).isEqualTo(2f * N);
        graph.close();
        assertThatThrownBy(() -> stream.launch(graph))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the graph is closed");
    }

    @Test
    void onlyWorkOfTheDeviceIsRecorded() {
        GpuMemory memory = device.allocate(8);
        GpuStream stream = device.newStream();
        GpuEvent event = device.newEvent();
        GpuEvent passed = device.newEvent();
        stream.record(passed);
        stream.synchronize();
        List<Runnable> refused = List.of(
                stream::synchronize,
                () -> stream.record(event),
                () -> stream.capture(() -> {}),
                () -> stream.copyIn(arena.allocate(8), memory, 0),
                () -> stream.copyOut(memory, 0, arena.allocate(8)),
                device::synchronize,
                passed::synchronize,
                () -> device.allocate(8),
                () -> device.load("contract.ptx", ContractPtx.TEXT),
                memory::close);
        for (Runnable work : refused) {
            assertThatThrownBy(() -> stream.capture(work)).isInstanceOf(IllegalStateException.class);
        }
        stream.fill(memory, 0, 8, (byte) 1); // and the stream works on
        stream.synchronize();
    }

    @Test
    void unknownKernelsAreNamedWithThoseThatThereAre() {
        GpuModule module = device.load("contract.ptx", ContractPtx.TEXT);
        assertThatThrownBy(() -> module.kernel("subtract"))
                .isInstanceOf(ObrException.class)
                .hasMessageContainingAll("contract.ptx", "subtract", "add", "turn");
    }

    @Test
    void ptxErrorsNameTheModuleAndTheLine() {
        String wrong = ContractPtx.TEXT.replace("fma.rn.f32 %f4, %f1, %f3, %f2;", "fuse.rn.f32 %f4, %f1;");
        assertThatThrownBy(() -> device.load("wrong.ptx", wrong))
                .isInstanceOf(ObrException.class)
                .hasMessageContainingAll("wrong.ptx", "line " + lineOf(wrong, "fuse"));
        device.load("contract.ptx", ContractPtx.TEXT).close();
    }

    private static int lineOf(String text, String word) {
        return (int) text.substring(0, text.indexOf(word)).lines().count();
    }

    @Test
    void sharedMemoryHasToBeAskedForAndHasAnEnd() {
        GpuKernel turn = device.load("contract.ptx", ContractPtx.TEXT).kernel("turn");
        GpuMemory in = device.allocate(128);
        GpuMemory out = device.allocate(128);
        MemorySegment result = arena.allocate(128, 4);
        GpuStream stream = device.newStream();
        stream.copyIn(floats(counting(32, 0)), in, 0);
        int many = 64 << 10;
        LaunchShape shape = LaunchShape.of(1, 32, many);
        KernelArguments arguments =
                new KernelArguments().pointer(out).pointer(in).i32(many);
        assertThatThrownBy(() -> stream.launch(turn, shape, arguments))
                .isInstanceOf(ObrException.class)
                .hasMessageContainingAll("turn", many + " bytes", "49152 are allowed");
        assertThatThrownBy(() -> turn.allowSharedBytes(1 << 20))
                .isInstanceOf(ObrException.class)
                .hasMessageContainingAll("turn", (1 << 20) + " bytes", "the device has ");
        turn.allowSharedBytes(many);
        turn.allowSharedBytes(1); // takes nothing away
        stream.launch(turn, shape, arguments);
        stream.copyOut(out, 0, result);
        stream.synchronize();
        assertThat(result.getAtIndex(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(31);
        assertThat(result.getAtIndex(ValueLayout.JAVA_FLOAT, 31)).isZero();
    }

    @Test
    void argumentsMustFitTheKernel() {
        GpuKernel add = device.load("contract.ptx", ContractPtx.TEXT).kernel("add");
        GpuStream stream = device.newStream();
        KernelArguments tooFew =
                new KernelArguments().nullPointer().nullPointer().nullPointer();
        assertThatThrownBy(() -> stream.launch(add, shapeOf(1), tooFew))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("[8, 8, 8, 4, 4]");
        assertThatThrownBy(() -> stream.launch(add, shapeOf(1), tooFew.f32(1).u64(1)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void whatIsClosedIsNotUsed() {
        GpuMemory memory = device.allocate(8);
        GpuStream stream = device.newStream();
        GpuModule module = device.load("contract.ptx", ContractPtx.TEXT);
        GpuKernel add = module.kernel("add");
        memory.close();
        memory.close();
        module.close();
        assertThatThrownBy(() -> stream.fill(memory, 0, 8, (byte) 0))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("8 bytes of GPU memory is closed");
        assertThatThrownBy(memory::address).isInstanceOf(IllegalStateException.class);
        KernelArguments arguments = new KernelArguments()
                .nullPointer()
                .nullPointer()
                .nullPointer()
                .f32(0)
                .i32(0);
        assertThatThrownBy(() -> stream.launch(add, shapeOf(1), arguments))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the module contract.ptx is closed");
        stream.close();
        assertThatThrownBy(stream::synchronize).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void closingTheDeviceClosesWhatIsOfIt() {
        GpuMemory memory = device.allocate(8);
        GpuStream stream = device.newStream();
        stream.fill(memory, 0, 8, (byte) 0);
        device.close();
        device.close();
        memory.close();
        stream.close();
        assertThatThrownBy(() -> device.allocate(8))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is closed");
        assertThatThrownBy(() -> stream.fill(memory, 0, 8, (byte) 0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void memoryIsFreedAfterTheWorkThatUsesIt() {
        GpuMemory from = device.allocate(8);
        GpuMemory to = device.allocate(8);
        GpuStream stream = device.newStream();
        stream.fill(from, 0, 8, (byte) 5);
        stream.copy(from, 0, to, 0, 8);
        from.close();
        MemorySegment out = arena.allocate(8);
        stream.copyOut(to, 0, out);
        stream.synchronize();
        assertThat(out.get(ValueLayout.JAVA_BYTE, 7)).isEqualTo((byte) 5);
    }

    @Test
    void othersMemoryIsRefused() {
        GpuMemory memory = device.allocate(8);
        try (GpuDevice other = open()) {
            GpuStream stream = other.newStream();
            assertThatThrownBy(() -> stream.fill(memory, 0, 8, (byte) 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("belongs to another device");
        }
        memory.close();
    }

    @Test
    void aFailedKernelIsReportedFromThenOn() {
        Assumptions.assumeTrue(whyNoKernelMayFail().isEmpty(), this::whyNoKernelMayFail);
        GpuKernel add = device.load("contract.ptx", ContractPtx.TEXT).kernel("add");
        GpuMemory memory = device.allocate(4);
        GpuStream stream = device.newStream();
        stream.fill(memory, 0, 4, (byte) 0);
        stream.launch(
                add,
                shapeOf(1),
                new KernelArguments()
                        .u64(16)
                        .pointer(memory)
                        .pointer(memory)
                        .f32(1)
                        .i32(1)); // writes to address 16
        assertThatThrownBy(stream::synchronize).isInstanceOf(ObrException.class).hasMessageContaining("add");
        assertThatThrownBy(() -> stream.fill(memory, 0, 4, (byte) 0)).isInstanceOf(ObrException.class);
        assertThatThrownBy(device::synchronize).isInstanceOf(ObrException.class);
        closeAfterFailure(device);
    }

    /** Closing a failed device frees everything; it may say once more that the device failed. */
    protected void closeAfterFailure(GpuDevice failed) {
        try {
            failed.close();
        } catch (ObrException said) {
            assertThat(said).hasMessageContaining(failed.toString());
        }
    }
}
