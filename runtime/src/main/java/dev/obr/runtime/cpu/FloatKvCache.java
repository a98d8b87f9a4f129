package dev.obr.runtime.cpu;

import dev.obr.kernels.DType;
import dev.obr.kernels.quantize.KvQuantizer;
import dev.obr.models.ModelConfig;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values of one sequence as floats, each head's positions side by side, so that attention reads one head as one stream:
 *
 * <pre>
 * keys:   layer 0: head 0 [capacity, headDim] | head 1 [capacity, headDim] | ...   layer 1: ...
 * values: the same, behind the keys
 * </pre>
 *
 * <p>One page holds all. Capacity doubles when it is full (each head moves to its new place), up to the limit.
 */
final class FloatKvCache extends CpuKvCache {
    private static final int FIRST_CAPACITY = 256;

    private final int heads; // of all layers
    private final int kvHeads;
    private final int headDim;
    private final DType type;
    private final @Nullable KvQuantizer quantizer;
    private int capacity;
    private KvPage page;

    /**
     * @param type F32 or F16
     * @param quantizer what rounds keys and values; null where they are kept as they are
     */
    FloatKvCache(ModelConfig config, DType type, @Nullable KvQuantizer quantizer, int limit, AtomicLong taken) {
        super(limit, taken);
        this.heads = config.layers() * config.kvHeads();
        this.kvHeads = config.kvHeads();
        this.headDim = config.headDim();
        this.type = type;
        this.quantizer = quantizer;
        this.capacity = Math.min(limit, FIRST_CAPACITY);
        this.page = new KvPage(bytes(capacity), taken);
    }

    private FloatKvCache(FloatKvCache origin, int length) {
        super(origin.limit(), origin.taken());
        this.heads = origin.heads;
        this.kvHeads = origin.kvHeads;
        this.headDim = origin.headDim;
        this.type = origin.type;
        this.quantizer = origin.quantizer;
        this.capacity = Math.min(limit(), Math.max(length, FIRST_CAPACITY));
        this.page = origin.moved(capacity, length);
    }

    DType type() {
        return type;
    }

    @Nullable
    KvQuantizer quantizer() {
        return quantizer;
    }

    int headDim() {
        return headDim;
    }

    int kvHeads() {
        return kvHeads;
    }

    /** The keys of a layer's head from a position on. */
    MemorySegment keys(int layer, int head, int position) {
        return place(layer * kvHeads + head, position);
    }

    /** The values, likewise. */
    MemorySegment values(int layer, int head, int position) {
        return place(heads + layer * kvHeads + head, position);
    }

    private MemorySegment place(int head, int position) {
        long headBytes = headBytes(capacity);
        return page.memory().asSlice(head * headBytes + headBytes(position), headBytes - headBytes(position));
    }

    private long headBytes(int positions) {
        return type.bytes((long) positions * headDim);
    }

    private long bytes(int positions) {
        return 2 * heads * headBytes(positions);
    }

    @Override
    void makeRoom(int tokens) {
        if (tokens > capacity) {
            int newCapacity = newCapacity(tokens);
            KvPage moved = moved(newCapacity, length());
            page.release();
            page = moved;
            capacity = newCapacity;
        }
    }

    private int newCapacity(int tokens) {
        return (int) Math.min(limit(), Math.max(tokens, 2L * capacity));
    }

    private KvPage moved(int newCapacity, int positions) {
        KvPage moved = new KvPage(bytes(newCapacity), taken());
        for (int head = 0; head < 2 * heads; head++) {
            MemorySegment.copy(
                    page.memory(),
                    head * headBytes(capacity),
                    moved.memory(),
                    head * headBytes(newCapacity),
                    headBytes(positions));
        }
        return moved;
    }

    @Override
    CpuKvCache beginning(int length) {
        return new FloatKvCache(this, length);
    }

    @Override
    public long bytes() {
        return bytes(capacity);
    }

    @Override
    public long missingBytes(int tokens) {
        int needed = length() + tokens;
        return needed <= capacity ? 0 : bytes(newCapacity(needed)) - bytes(capacity);
    }

    @Override
    public void close() {
        page.release();
    }
}
