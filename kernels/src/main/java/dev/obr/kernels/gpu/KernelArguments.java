package dev.obr.kernels.gpu;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The arguments of a launch, in the order of the kernel's parameters. */
public final class KernelArguments {
    /**
     * One argument.
     *
     * @param bits its value in the low bytes
     * @param bytes 4 or 8
     */
    public record Argument(long bits, int bytes) {}

    private final List<Argument> arguments = new ArrayList<>();

    public KernelArguments pointer(GpuMemory memory) {
        return u64(memory.address());
    }

    /** @param offset in bytes from the beginning of the memory */
    public KernelArguments pointer(GpuMemory memory, long offset) {
        return u64(memory.address() + offset);
    }

    /** A pointer that the kernel takes as absent. */
    public KernelArguments nullPointer() {
        return u64(0);
    }

    /** Memory, or none. */
    public KernelArguments optional(@Nullable GpuMemory memory) {
        return memory == null ? nullPointer() : pointer(memory);
    }

    public KernelArguments i32(int value) {
        arguments.add(new Argument(Integer.toUnsignedLong(value), 4));
        return this;
    }

    public KernelArguments f32(float value) {
        return i32(Float.floatToRawIntBits(value));
    }

    public KernelArguments u64(long value) {
        arguments.add(new Argument(value, 8));
        return this;
    }

    public List<Argument> list() {
        return List.copyOf(arguments);
    }

    /** Makes sure that {@code arguments} are what {@code kernel} takes: a driver would read past the end of too few. */
    public static void check(String kernel, List<Integer> parameterBytes, List<Argument> arguments) {
        boolean fit = arguments.size() == parameterBytes.size();
        for (int i = 0; fit && i < arguments.size(); i++) {
            fit = arguments.get(i).bytes() == parameterBytes.get(i);
        }
        if (!fit) {
            throw new IllegalArgumentException(
                    "the kernel " + kernel + " takes parameters of " + parameterBytes + " bytes, not of "
                            + arguments.stream().map(Argument::bytes).toList());
        }
    }
}
