package dev.obr.runtime.cpu;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.KvTiles;
import dev.obr.kernels.quantize.KvQuantizer;
import dev.obr.models.ModelConfig;
import dev.obr.runtime.transformer.KvCache;
import dev.obr.runtime.transformer.KvType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values of one sequence, each head's positions side by side, so that attention reads one head as one stream; codes lie in tiles of some positions ({@link KvTiles}):
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
    private final @Nullable KvTiles tiles;
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
        this.tiles = type == null ? new KvTiles(Objects.requireNonNull(quantizer)) : null;
        this.limit = limit;
        this.capacity = Math.min(limit, FIRST_CAPACITY);
        this.arena = Arena.ofShared();
        this.keys = allocate(arena, capacity);
        this.values = allocate(arena, capacity);
    }

    /** F32 or F16, where the cache holds no codes. */
    DType type() {
        return Objects.requireNonNull(type);
    }

    /** What rounds keys and values; null where they are kept as they are. */
    @Nullable
    KvQuantizer quantizer() {
        return quantizer;
    }

    /** How codes lie; null where the cache holds floats. */
    @Nullable
    KvTiles tiles() {
        return tiles;
    }

    int headDim() {
        return headDim;
    }

    int kvHeads() {
        return kvHeads;
    }

    /** From the place of one head to that of the next. */
    long headBytes() {
        return headBytes(capacity);
    }

    private long headBytes(int positions) {
        return tiles != null
                ? tiles.bytes(positions)
                : Objects.requireNonNull(type).bytes((long) positions * headDim);
    }

    /** The keys of a layer from position {@code position} (of codes: a tile's first) of {@code head} on, then those of the next heads. */
    MemorySegment keys(int layer, int head, int position) {
        return slice(keys, layer, head, position);
    }

    /** The values, likewise. */
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
            long from = head * headBytes(capacity);
            long to = head * headBytes(newCapacity);
            MemorySegment.copy(keys, from, newKeys, to, headBytes(length));
            MemorySegment.copy(values, from, newValues, to, headBytes(length));
        }
        arena.close();
        arena = newArena;
        keys = newKeys;
        values = newValues;
        capacity = newCapacity;
    }

    private MemorySegment slice(MemorySegment all, int layer, int head, int position) {
        long place = head * headBytes() + headBytes(position);
        return all.asSlice(layer * kvHeads * headBytes() + place, kvHeads * headBytes() - place);
    }

    private MemorySegment allocate(Arena owner, int positions) {
        return owner.allocate(bytes(positions), 64);
    }

    private long bytes(int positions) {
        return layers * kvHeads * headBytes(positions);
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
