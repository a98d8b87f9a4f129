package dev.obr.kernels.emulator;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A range of the device's memory. Beside it lies one byte for each of its bytes that says whether it has been written; a region that was initialised as a whole has none.
 *
 * <p>One byte rather than one bit, so that threads of the host that write neighbours do not lose each other's marks.
 */
final class Region {
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long ALL = 0x0101010101010101L;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final long start;
    private final long end;
    private final MemorySegment memory;
    private final byte @Nullable [] written;

    Region(long start, MemorySegment memory, boolean initialised) {
        this.start = start;
        this.end = start + memory.byteSize();
        this.memory = memory;
        this.written = initialised ? null : new byte[Math.toIntExact(memory.byteSize())];
    }

    long start() {
        return start;
    }

    /** The first address behind it. */
    long end() {
        return end;
    }

    MemorySegment memory() {
        return memory;
    }

    /** Reads 1, 2, 4 or 8 bytes, zero-extended. */
    long get(long offset, int bytes) {
        return switch (bytes) {
            case 1 -> memory.get(ValueLayout.JAVA_BYTE, offset) & 0xffL;
            case 2 -> memory.get(SHORT, offset) & 0xffffL;
            case 4 -> memory.get(INT, offset) & 0xffffffffL;
            default -> memory.get(LONG, offset);
        };
    }

    /** Writes the low 1, 2, 4 or 8 bytes of a value. */
    void put(long offset, int bytes, long value) {
        switch (bytes) {
            case 1 -> memory.set(ValueLayout.JAVA_BYTE, offset, (byte) value);
            case 2 -> memory.set(SHORT, offset, (short) value);
            case 4 -> memory.set(INT, offset, (int) value);
            default -> memory.set(LONG, offset, value);
        }
    }

    /** Whether 1, 2, 4 or 8 bytes may be read. */
    boolean initialised(long offset, int bytes) {
        byte[] marks = written;
        if (marks == null) {
            return true;
        }
        int at = (int) offset;
        return switch (bytes) {
            case 1 -> marks[at] != 0;
            case 2 -> (marks[at] & marks[at + 1]) != 0;
            case 4 -> (int) INTS.get(marks, at) == (int) ALL;
            default -> (long) LONGS.get(marks, at) == ALL;
        };
    }

    /** Notes a write of 1, 2, 4 or 8 bytes. */
    void written(long offset, int bytes) {
        byte[] marks = written;
        if (marks == null) {
            return;
        }
        int at = (int) offset;
        switch (bytes) {
            case 1 -> marks[at] = 1;
            case 2 -> {
                marks[at] = 1;
                marks[at + 1] = 1;
            }
            case 4 -> INTS.set(marks, at, (int) ALL);
            default -> LONGS.set(marks, at, ALL);
        }
    }

    void markInitialised(long offset, long bytes) {
        if (written != null) {
            Arrays.fill(written, (int) offset, (int) (offset + bytes), (byte) 1);
        }
    }

    void copyInitialised(long offset, Region from, long fromOffset, long bytes) {
        if (from.written == null) {
            markInitialised(offset, bytes);
        } else if (written != null) {
            System.arraycopy(from.written, (int) fromOffset, written, (int) offset, (int) bytes);
        }
    }

    long uninitialisedBytes(long offset, long bytes) {
        long missing = 0;
        if (written != null) {
            for (int i = (int) offset; i < offset + bytes; i++) {
                missing += 1 - written[i];
            }
        }
        return missing;
    }

    @Override
    public String toString() {
        return "[0x" + Long.toHexString(start) + ", 0x" + Long.toHexString(end()) + ")";
    }
}
