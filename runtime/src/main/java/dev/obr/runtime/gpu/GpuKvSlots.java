package dev.obr.runtime.gpu;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.attention.KvCodeCache;
import dev.obr.models.ModelConfig;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** The caches of all layers, each with a slot for every sequence. There is one slot to begin with; when all are taken, they double. */
final class GpuKvSlots {
    private final GpuDevice device;
    private final long slotBytes;
    private final GpuStream stream;
    private final List<KvCodeCache> layers = new ArrayList<>();
    private final BitSet taken = new BitSet();
    private int slots = 1;

    /** @param capacity positions of each sequence; a multiple of 8 */
    GpuKvSlots(GpuDevice device, GpuStream stream, ModelConfig config, int capacity) {
        this.device = device;
        this.stream = stream;
        this.slotBytes = config.layers() * KvCodeCache.slotBytes(config.kvHeads(), config.headDim(), capacity);
        for (int i = 0; i < config.layers(); i++) {
            layers.add(new KvCodeCache(device, slots, config.kvHeads(), config.headDim(), capacity));
        }
    }

    /** The cache of one layer, until slots are added. */
    KvCodeCache layer(int index) {
        return layers.get(index);
    }

    /** Bytes of one sequence. */
    long slotBytes() {
        return slotBytes;
    }

    /** Bytes of all sequences. */
    long takenBytes() {
        return taken.cardinality() * slotBytes;
    }

    /** Whether {@link #take} moves the caches. */
    boolean full() {
        return taken.cardinality() == slots;
    }

    /**
     * A slot for one more sequence.
     *
     * @throws ObrException naming the needed and the free bytes where there is no memory for more slots
     */
    int take() {
        if (full()) {
            long needed = slots * slotBytes
                    + 2L * slots * slotBytes / layers.size(); // a layer's old caches stay until they are copied
            if (needed > device.freeBytes()) {
                throw new ObrException("One more sequence needs " + needed + " bytes on " + device.name() + ", "
                        + device.freeBytes() + " are free: close a session, or use a smaller context.");
            }
            for (int i = 0; i < layers.size(); i++) {
                layers.set(i, layers.get(i).grown(device, stream, 2 * slots));
            }
            slots *= 2;
        }
        int slot = taken.nextClearBit(0);
        taken.set(slot);
        return slot;
    }

    void give(int slot) {
        taken.clear(slot);
    }
}
