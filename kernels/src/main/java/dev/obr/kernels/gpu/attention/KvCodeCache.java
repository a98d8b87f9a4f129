package dev.obr.kernels.gpu.attention;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import java.util.Set;

/**
 * Keys and values of one layer as 4-bit codes in a device's memory, for sequences that each have a slot.
 *
 * <pre>
 *   codes  [slots][kvHeads][capacity]  | code 0, 1 | 2, 3 | .. |     headDim / 2 bytes a position
 *   steps  [slots][kvHeads][capacity]  | scale fp16 | zero | 0 |     4 bytes a position
 * </pre>
 *
 * <p>once for keys and once for values: the bytes of {@link dev.obr.kernels.quantize.KvQuantizer}, its codes and its steps apart, so that a head's positions are read as they lie.
 */
public final class KvCodeCache implements AutoCloseable {
    /** Components of a head that there are kernels for. */
    private static final Set<Integer> HEAD_DIMS = Set.of(8, 32, 64, 128);

    private final int slots;
    private final int kvHeads;
    private final int headDim;
    private final int capacity;
    private final GpuMemory keyCodes;
    private final GpuMemory keySteps;
    private final GpuMemory valueCodes;
    private final GpuMemory valueSteps;

    /**
     * @param slots sequences at once
     * @param capacity positions of each sequence; a multiple of 8
     */
    public KvCodeCache(GpuDevice device, int slots, int kvHeads, int headDim, int capacity) {
        checkHeadDim(headDim);
        if (slots < 1 || kvHeads < 1 || capacity < 8 || capacity % 8 != 0) {
            throw new ObrException("a cache of " + slots + " sequences, " + kvHeads + " heads and " + capacity
                    + " positions is asked for; at least 1, 1, and a multiple of 8 positions can be");
        }
        this.slots = slots;
        this.kvHeads = kvHeads;
        this.headDim = headDim;
        this.capacity = capacity;
        keyCodes = device.allocate(positions() * headDim / 2);
        keySteps = device.allocate(positions() * 4);
        valueCodes = device.allocate(positions() * headDim / 2);
        valueSteps = device.allocate(positions() * 4);
    }

    /**
     * The same for more sequences, which takes this one's place: what its slots hold is copied, then it is freed.
     *
     * @param slots more than this has
     */
    public KvCodeCache grown(GpuDevice device, GpuStream stream, int slots) {
        KvCodeCache larger = new KvCodeCache(device, slots, kvHeads, headDim, capacity);
        stream.copy(keyCodes, 0, larger.keyCodes, 0, keyCodes.byteSize());
        stream.copy(keySteps, 0, larger.keySteps, 0, keySteps.byteSize());
        stream.copy(valueCodes, 0, larger.valueCodes, 0, valueCodes.byteSize());
        stream.copy(valueSteps, 0, larger.valueSteps, 0, valueSteps.byteSize());
        stream.synchronize();
        close();
        return larger;
    }

    /** Bytes of one slot. */
    public static long slotBytes(int kvHeads, int headDim, int capacity) {
        return 2L * kvHeads * capacity * (headDim / 2 + 4);
    }

    static void checkHeadDim(int headDim) {
        if (!HEAD_DIMS.contains(headDim)) {
            throw new ObrException(
                    "heads have " + headDim + " components; there is GPU attention for 8, 32, 64 and 128");
        }
    }

    /** Of all slots and heads. */
    private long positions() {
        return (long) slots * kvHeads * capacity;
    }

    public int kvHeads() {
        return kvHeads;
    }

    public int headDim() {
        return headDim;
    }

    /** Positions of each sequence. */
    public int capacity() {
        return capacity;
    }

    GpuMemory codes(boolean values) {
        return values ? valueCodes : keyCodes;
    }

    GpuMemory steps(boolean values) {
        return values ? valueSteps : keySteps;
    }

    /** The number of a slot's position among all of the cache. */
    long row(int slot, int head, int position) {
        return ((long) slot * kvHeads + head) * capacity + position;
    }

    void addTo(KernelArguments arguments) {
        arguments.pointer(keyCodes).pointer(keySteps).pointer(valueCodes).pointer(valueSteps);
    }

    @Override
    public void close() {
        keyCodes.close();
        keySteps.close();
        valueCodes.close();
        valueSteps.close();
    }
}
