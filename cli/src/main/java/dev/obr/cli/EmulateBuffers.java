package dev.obr.cli;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.GlobalMemory;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.models.file.AtomicFile;
import dev.obr.models.file.TensorBytes;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The files of {@code emulate} as a device's memory: read before the launch, written after it. */
final class EmulateBuffers {
    /** Addresses that no 32-bit number holds by accident. */
    private static final long FIRST = 1L << 40;

    /** Nothing lies between two buffers, so that what runs over the end of one is found. */
    private static final long GAP = 1 << 20;

    private final List<EmulateArgument> arguments;
    private final List<@Nullable MemorySegment> buffers = new ArrayList<>();
    private final List<KernelArguments.Argument> values = new ArrayList<>();
    private final GlobalMemory memory = new GlobalMemory();

    /**
     * Reads what is to be read.
     *
     * @param arena that the buffers live in; all of the emulator's threads use them
     */
    EmulateBuffers(List<EmulateArgument> arguments, Arena arena) {
        this.arguments = List.copyOf(arguments);
        long address = FIRST;
        for (EmulateArgument argument : arguments) {
            Path file = argument.file();
            if (file == null) {
                buffers.add(null);
                values.add(new KernelArguments.Argument(argument.bits(), argument.bytes()));
                continue;
            }
            MemorySegment buffer = argument.read() ? read(file, arena) : arena.allocate(argument.buffer(), 256);
            memory.map(address, buffer, true);
            buffers.add(buffer);
            values.add(new KernelArguments.Argument(address, argument.bytes()));
            address = (address + buffer.byteSize() + 2 * GAP - 1) & -GAP;
        }
    }

    /** A copy of the file: what a kernel writes to it stays in memory. */
    private static MemorySegment read(Path file, Arena arena) {
        if (!Files.exists(file)) {
            throw new ObrException(file + " does not exist; check the path");
        }
        if (!Files.isRegularFile(file)) {
            throw new ObrException(file + " is no file; give one that holds the buffer's bytes");
        }
        try (FileChannel channel = FileChannel.open(file);
                Arena mapping = Arena.ofConfined()) {
            if (channel.size() == 0) {
                throw new ObrException(file + " is empty; a buffer has at least one byte");
            }
            MemorySegment content = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), mapping);
            return arena.allocate(content.byteSize(), 256).copyFrom(content);
        } catch (IOException e) {
            throw new ObrException(file + " cannot be read: " + e.getMessage(), e);
        }
    }

    GlobalMemory memory() {
        return memory;
    }

    /** The arguments of the launch. */
    List<KernelArguments.Argument> values() {
        return List.copyOf(values);
    }

    /** For each buffer, where it lies. */
    List<String> places() {
        List<String> places = new ArrayList<>();
        for (int i = 0; i < buffers.size(); i++) {
            MemorySegment buffer = buffers.get(i);
            if (buffer != null) {
                places.add(arguments.get(i).text() + " is " + buffer.byteSize() + " bytes at 0x"
                        + Long.toHexString(values.get(i).bits()));
            }
        }
        return places;
    }

    /** Writes the files that the kernel's results belong in. */
    void write() {
        for (int i = 0; i < buffers.size(); i++) {
            MemorySegment buffer = buffers.get(i);
            Path file = arguments.get(i).file();
            if (buffer != null && file != null && arguments.get(i).written()) {
                AtomicFile.write(file, out -> TensorBytes.of(buffer).writeTo(out));
            }
        }
    }
}
