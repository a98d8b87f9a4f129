package dev.obr.kernels.emulator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Memory of each lane for itself: arrays on the stack, and parameters of calls. Zero at the beginning; what is read uninitialised is not noticed. */
final class LocalMemory {
    private static final VarHandle SHORTS =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final int bytesPerLane;
    private final byte[] bytes;

    LocalMemory(int bytesPerLane) {
        this.bytesPerLane = bytesPerLane;
        this.bytes = new byte[bytesPerLane * Warp.LANES];
    }

    void clear() {
        Arrays.fill(bytes, (byte) 0);
    }

    void read(Request request) {
        int size = request.elementBytes;
        for (int m = request.mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            int at = at(request, lane);
            for (int e = 0; e < request.elements; e++) {
                request.data[Warp.LANES * e + lane] = get(bytes, at + e * size, size);
            }
        }
    }

    void write(Request request) {
        int size = request.elementBytes;
        for (int m = request.mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            int at = at(request, lane);
            for (int e = 0; e < request.elements; e++) {
                put(bytes, at + e * size, size, request.data[Warp.LANES * e + lane]);
            }
        }
    }

    private int at(Request request, int lane) {
        long address = request.addresses[lane];
        if (address < 0 || address > bytesPerLane - request.bytes()) {
            throw new Fault(
                    lane,
                    "the local address 0x" + Long.toHexString(address) + " of " + request.bytes()
                            + " bytes lies outside the thread's " + bytesPerLane + " bytes of local memory");
        }
        return lane * bytesPerLane + (int) address;
    }

    /** Reads 1, 2, 4 or 8 bytes, zero-extended. */
    static long get(byte[] bytes, int at, int size) {
        return switch (size) {
            case 1 -> bytes[at] & 0xffL;
            case 2 -> (short) SHORTS.get(bytes, at) & 0xffffL;
            case 4 -> (int) INTS.get(bytes, at) & 0xffffffffL;
            default -> (long) LONGS.get(bytes, at);
        };
    }

    /** Writes the low 1, 2, 4 or 8 bytes of a value. */
    static void put(byte[] bytes, int at, int size, long value) {
        switch (size) {
            case 1 -> bytes[at] = (byte) value;
            case 2 -> SHORTS.set(bytes, at, (short) value);
            case 4 -> INTS.set(bytes, at, (int) value);
            default -> LONGS.set(bytes, at, value);
        }
    }
}
