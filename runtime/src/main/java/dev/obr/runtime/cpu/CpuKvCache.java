package dev.obr.runtime.cpu;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.quantize.KvQuantizer;
import dev.obr.models.ModelConfig;
import dev.obr.runtime.transformer.KvCache;
import dev.obr.runtime.transformer.KvType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values of one sequence, each head's positions side by side, so that attention reads one head as one stream:
 *
 * <pre>
 * keys:   layer 0: head 0 [capacity, headDim] | head 1 [capacity, headDim] | ...   layer 1: ...
 * values: the same
 * </pre>
 *
 * <p>Capacity doubles when it is full (each head moves to its new place), up to the limit.
 */
final class CpuKvCache implements KvCache {
    private static final int FIRST_CAPACITY = 256;

    private final int layers;
    private final int kvHeads;
    private final int headDim;
    private final long positionBytes; // of one head
    private final int limit;
    private final @Nullable DType type;
    private final @Nullable KvQuantizer quantizer;
    private Arena arena;
    private MemorySegment keys;
    private MemorySegment values;
    private int capacity;
    private int length;

    /** @param simulated whether a coded cache keeps the floats that its codes would stand for */
    CpuKvCache(ModelConfig config, KvType kv, boolean simulated, int limit) {
        this.layers = config.layers();
        this.kvHeads = config.kvHeads();
        this.headDim = config.headDim();
        this.quantizer = kv.coded() ? new KvQuantizer(kv.bits(), headDim) : null;
        this.type = kv == KvType.F16 ? DType.F16 : quantizer == null || simulated ? DType.F32 : null;
        this.positionBytes = type == null ? Objects.requireNonNull(quantizer).byteSize() : type.bytes(headDim);
        this.limit = limit;
        this.capacity = Math.min(limit, FIRST_CAPACITY);
        this.arena = Arena.ofShared();
        this.keys = allocate(arena, capacity);
        this.values = allocate(arena, capacity);
    }

    /** F32 or F16; null where the cache holds codes. */
    @Nullable
    DType type() {
        return type;
    }

    /** What rounds keys and values; null where they are kept as they are. */
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

    /** The keys of one head of one layer, from position {@code position} to the end of the head's place. */
    MemorySegment keys(int layer, int head, int position) {
        return slice(keys, layer, head, position);
    }

    /** The values of one head of one layer, from position {@code position} on. */
    MemorySegment values(int layer, int head, int position) {
        return slice(values, layer, head, position);
    }

    /** Makes room for {@code tokens} more. */
    void reserve(int tokens) {
        int needed = length + tokens;
        if (needed > limit) {
            throw new IllegalStateException(
                    "the sequence is limited to " + limit + " tokens, " + needed + " are asked for");
        }
        if (needed > capacity) {
            grow((int) Math.min(limit, Math.max(needed, 2L * capacity)));
        }
    }

    private void grow(int newCapacity) {
        Arena newArena = Arena.ofShared();
        MemorySegment newKeys;
        MemorySegment newValues;
        try {
            newKeys = allocate(newArena, newCapacity);
            newValues = allocate(newArena, newCapacity);
        } catch (OutOfMemoryError e) {
            newArena.close();
            long mebibytes = 2 * bytes(newCapacity) >> 20;
            throw new ObrException(
                    "The KV cache of " + newCapacity + " tokens needs " + mebibytes
                            + " MiB, which this process cannot get: use a smaller --context or --kv int4.",
                    e);
        }
        for (int head = 0; head < layers * kvHeads; head++) {
            long from = head * capacity * positionBytes;
            long to = head * newCapacity * positionBytes;
            MemorySegment.copy(keys, from, newKeys, to, length * positionBytes);
            MemorySegment.copy(values, from, newValues, to, length * positionBytes);
        }
        arena.close();
        arena = newArena;
        keys = newKeys;
        values = newValues;
        capacity = newCapacity;
    }

    private MemorySegment slice(MemorySegment all, int layer, int head, int position) {
        long at = ((long) (layer * kvHeads + head) * capacity + position) * positionBytes;
        return all.asSlice(at, (capacity - position) * positionBytes);
    }

    private MemorySegment allocate(Arena owner, int positions) {
        return owner.allocate(bytes(positions), 64);
    }

    private long bytes(int positions) {
        return (long) layers * kvHeads * positions * positionBytes;
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public void advance(int tokens) {
        length += tokens;
    }

    @Override
    public void truncate(int newLength) {
        if (newLength < 0 || newLength > length) {
            throw new IllegalArgumentException("cannot cut " + length + " tokens to " + newLength);
        }
        length = newLength;
    }

    @Override
    public long bytes() {
        return 2 * bytes(capacity);
    }

    @Override
    public void close() {
        arena.close();
    }
}
