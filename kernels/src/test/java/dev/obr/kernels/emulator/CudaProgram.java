package dev.obr.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One launch of a compiled CUDA kernel, and what must be in memory after it. */
final class CudaProgram {
    /** Between buffers lies memory that belongs to none, so that what runs over is found. */
    private static final long GAP = 4096;

    private final String module;
    private final String kernel;
    private final LaunchShape shape;
    private final List<Operand> operands = new ArrayList<>();

    /** A buffer, or where there is none a number. Arrays of byte, short, int, long, float or double. */
    private record Operand(
            KernelArguments.Argument value,
            @Nullable Object initial,
            @Nullable Object expected,
            double tolerance) {}

    CudaProgram(String module, String kernel, LaunchShape shape) {
        this.module = module;
        this.kernel = kernel;
        this.shape = shape;
    }

    static LaunchShape grid(int x, int y, int blockX, int blockY) {
        return new LaunchShape(new LaunchShape.Dim(x, y, 1), new LaunchShape.Dim(blockX, blockY, 1), 0);
    }

    /** The same launch of the same program, compiled otherwise. */
    CudaProgram of(String otherModule) {
        CudaProgram other = new CudaProgram(otherModule, kernel, shape);
        other.operands.addAll(operands);
        return other;
    }

    CudaProgram in(Object array) {
        return add(0, 8, array, array, 0);
    }

    /** A buffer that nobody has written before. */
    CudaProgram out(Object expected) {
        return add(0, 8, null, expected, 0);
    }

    /** The same, of floats or doubles that may be off by this much relative to the larger of 1 and themselves. */
    CudaProgram near(Object expected, double tolerance) {
        return add(0, 8, null, expected, tolerance);
    }

    CudaProgram inout(Object initial, Object expected) {
        return add(0, 8, initial, expected, 0);
    }

    CudaProgram i32(int value) {
        return add(Integer.toUnsignedLong(value), 4, null, null, 0);
    }

    CudaProgram f32(float value) {
        return i32(Float.floatToRawIntBits(value));
    }

    CudaProgram u64(long value) {
        return add(value, 8, null, null, 0);
    }

    private CudaProgram add(
            long value, int bytes, @Nullable Object initial, @Nullable Object expected, double tolerance) {
        operands.add(new Operand(new KernelArguments.Argument(value, bytes), initial, expected, tolerance));
        return this;
    }

    String module() {
        return module;
    }

    static PtxModule parse(String module) {
        try (InputStream text = CudaProgram.class.getResourceAsStream(module + ".ptx")) {
            Objects.requireNonNull(text, module);
            return PtxModule.parse(module + ".ptx", new String(text.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    LaunchCounters run(EmulatorOptions options) {
        return run(parse(module), options);
    }

    LaunchCounters run(PtxModule parsed, EmulatorOptions options) {
        GlobalMemory memory = new GlobalMemory();
        List<KernelArguments.Argument> arguments = new ArrayList<>();
        List<MemorySegment> buffers = new ArrayList<>();
        long address = 1 << 20;
        try (Arena arena = Arena.ofShared()) {
            for (Operand operand : operands) {
                Object expected = operand.expected();
                if (expected == null) {
                    arguments.add(operand.value());
                    buffers.add(MemorySegment.NULL);
                    continue;
                }
                MemorySegment wanted = segment(expected);
                MemorySegment buffer = arena.allocate(wanted.byteSize(), 256);
                Object initial = operand.initial();
                if (initial != null) {
                    buffer.copyFrom(segment(initial));
                }
                memory.map(address, buffer, initial != null);
                arguments.add(new KernelArguments.Argument(address, 8));
                buffers.add(buffer);
                address = (address + buffer.byteSize() + GAP + 255) & -256;
            }
            LaunchCounters counters = new Emulator(options).launch(parsed.kernel(kernel), shape, arguments, memory);
            for (int i = 0; i < operands.size(); i++) {
                Object expected = operands.get(i).expected();
                if (expected != null) {
                    compare(buffers.get(i), expected, operands.get(i).tolerance(), "argument " + i + " of " + this);
                }
            }
            return counters;
        }
    }

    private static MemorySegment segment(Object array) {
        return switch (array) {
            case byte[] values -> MemorySegment.ofArray(values);
            case short[] values -> MemorySegment.ofArray(values);
            case int[] values -> MemorySegment.ofArray(values);
            case long[] values -> MemorySegment.ofArray(values);
            case float[] values -> MemorySegment.ofArray(values);
            case double[] values -> MemorySegment.ofArray(values);
            default -> throw new IllegalArgumentException("no array of numbers: " + array.getClass());
        };
    }

    private static void compare(MemorySegment found, Object expected, double tolerance, String what) {
        switch (expected) {
            case byte[] values ->
                assertThat(found.toArray(ValueLayout.JAVA_BYTE)).as(what).isEqualTo(values);
            case short[] values ->
                assertThat(found.toArray(ValueLayout.JAVA_SHORT)).as(what).isEqualTo(values);
            case int[] values ->
                assertThat(found.toArray(ValueLayout.JAVA_INT)).as(what).isEqualTo(values);
            case long[] values ->
                assertThat(found.toArray(ValueLayout.JAVA_LONG)).as(what).isEqualTo(values);
            case float[] values -> {
                for (int i = 0; i < values.length; i++) {
                    near(found.getAtIndex(ValueLayout.JAVA_FLOAT, i), values[i], tolerance, i, what);
                }
            }
            case double[] values -> {
                for (int i = 0; i < values.length; i++) {
                    near(found.getAtIndex(ValueLayout.JAVA_DOUBLE, i), values[i], tolerance, i, what);
                }
            }
            default -> throw new IllegalArgumentException("no array of numbers: " + expected.getClass());
        }
    }

    /** Where there is a tolerance; else the same value, the sign of zero too, or both no number. */
    private static void near(double found, double expected, double tolerance, int at, String what) {
        boolean same = Double.compare(found, expected) == 0
                || Math.abs(found - expected) <= tolerance * Math.max(1, Math.abs(expected));
        assertThat(same)
                .as("%s, element %d: %s, expected %s", what, at, found, expected)
                .isTrue();
    }

    @Override
    public String toString() {
        return module + ":" + kernel;
    }
}
