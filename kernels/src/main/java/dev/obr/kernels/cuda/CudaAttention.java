package dev.obr.kernels.cuda;

import dev.obr.kernels.cuda.CudaBlas.At;
import dev.obr.kernels.cuda.CudaBlas.Series;
import dev.obr.kernels.cuda.DeviceScratch.Use;
import dev.obr.kernels.gpu.OutOfGpuMemoryException;
import dev.obr.kernels.gpu.attention.CausalSoftmax;
import dev.obr.kernels.linalg.HeldAttention;
import dev.obr.kernels.linalg.Transpose;
import java.lang.foreign.MemorySegment;

/**
 * Causal attention on a GPU, a tile of queries of all heads at a time:
 *
 * <pre>
 *   Q, Y     [tokens][heads x headDim]         K, V  [positions][kvHeads x headDim]
 *
 *   S = Q Kᵀ / √headDim   [heads][tile][columns]     columns: what the tile's last query sees
 *   S = softmax(S)        in place, zero behind what a query sees
 *   Y = S V
 * </pre>
 *
 * <p>Heads that share keys and values are a group. A product is of all groups' first heads, then of all second ones: these lie equally far apart in Q, in K and in S, so that a group needs no copies of its keys.
 * All float32; what the owner's stream and scratch memory belong to is locked while it computes.
 */
final class CudaAttention implements HeldAttention {
    /** Of scores: what a tile of 256 queries of 32 heads has over 2048 positions. More would make the products larger, not faster, and leave the caches. */
    private static final long MOST_SCORE_BYTES = 64L << 20;

    /** Of the memory, to leave room for what the compression holds beside it. */
    private static final int SHARE = 4;

    private static final int LINE = 128 / Float.BYTES; // rows of scores begin with a line of the cache

    private final CudaLinearAlgebra owner;
    private final CudaStream stream;
    private final CudaBlas blas;
    private final DeviceScratch scratch;
    private final CausalSoftmax softmax;
    private final Shape shape;
    private final int positions;
    private final int most; // queries of a tile
    private final CallMemory memory;
    private final CudaMemory keys;
    private final CudaMemory values;
    private final CudaMemory scores;

    /** @throws OutOfGpuMemoryException where a quarter of what is free is too little for one query at a time */
    CudaAttention(
            CudaLinearAlgebra owner,
            CudaDevice device,
            CudaStream stream,
            CudaBlas blas,
            DeviceScratch scratch,
            CausalSoftmax softmax,
            Shape shape,
            int positions) {
        this.owner = owner;
        this.stream = stream;
        this.blas = blas;
        this.scratch = scratch;
        this.softmax = softmax;
        this.shape = shape;
        this.positions = positions;
        long held = 2L * Float.BYTES * positions * shape.kvWidth();
        long query = (long) Float.BYTES * shape.heads() * stride(positions);
        long free = device.freeBytes();
        long room = free / SHARE - held;
        if (room < query) {
            throw new OutOfGpuMemoryException(device + " has no room for attention over " + positions
                    + " positions: a quarter of the " + free + " bytes that are free is less than the " + (held + query)
                    + " of keys, values and a query's scores");
        }
        most = (int) Math.clamp(Math.min(room, MOST_SCORE_BYTES) / query, 1, positions);
        memory = new CallMemory(device, stream);
        try {
            keys = memory.of(held / 2);
            values = memory.of(held / 2);
            scores = memory.of(most * query);
        } catch (RuntimeException e) {
            memory.close();
            throw e;
        }
    }

    private static int stride(int columns) {
        return Math.ceilDiv(columns, LINE) * LINE;
    }

    @Override
    public void append(int position, int tokens, MemorySegment k, MemorySegment v) {
        require(position, tokens);
        long row = (long) Float.BYTES * shape.kvWidth();
        synchronized (owner) {
            stream.copyIn(k.asSlice(0, tokens * row), keys, position * row);
            stream.copyIn(v.asSlice(0, tokens * row), values, position * row);
            stream.synchronize();
        }
    }

    @Override
    public void attend(int position, int tokens, MemorySegment q, MemorySegment y) {
        require(position, tokens);
        long bytes = (long) Float.BYTES * tokens * shape.queryWidth();
        synchronized (owner) {
            CudaMemory queries = scratch.of(Use.A, bytes);
            CudaMemory mixed = scratch.of(Use.C, bytes);
            stream.copyIn(q.asSlice(0, bytes), queries, 0);
            for (int from = 0; from < tokens; from += most) {
                attend(position, from, Math.min(most, tokens - from), queries, mixed);
            }
            stream.copyOut(mixed, 0, y.asSlice(0, bytes));
            stream.synchronize();
        }
    }

    /** Queues a tile. */
    private void attend(int position, int from, int count, CudaMemory queries, CudaMemory mixed) {
        int columns = position + from + count;
        CausalSoftmax.Tile tile = new CausalSoftmax.Tile(shape.heads(), count, position + from + 1, stride(columns));
        int headDim = shape.headDim();
        float scale = (float) (1 / Math.sqrt(headDim));
        for (int member = 0; member < shape.group(); member++) {
            Series q = heads(queries, from, member);
            Series s = scores(tile, member);
            product(Transpose.YES, count, columns, headDim, scale, q, ofGroups(keys), s);
        }
        softmax.run(stream, tile, scores);
        for (int member = 0; member < shape.group(); member++) {
            Series y = heads(mixed, from, member);
            Series s = scores(tile, member);
            product(Transpose.NO, count, headDim, columns, 1, s, ofGroups(values), y);
        }
    }

    private void product(Transpose op, int m, int n, int k, float alpha, Series a, Series b, Series c) {
        blas.gemm(Transpose.NO, op, m, n, k, alpha, a, b, 0, c, shape.kvHeads());
    }

    /** A member of each group: rows of Q or Y from a token on. */
    private Series heads(CudaMemory x, int from, int member) {
        int width = shape.queryWidth();
        At first = new At(x, (long) from * width + (long) member * shape.headDim(), width);
        return new Series(first, (long) shape.group() * shape.headDim());
    }

    private Series scores(CausalSoftmax.Tile tile, int member) {
        long head = (long) tile.queries() * tile.stride();
        return new Series(new At(scores, member * head, tile.stride()), shape.group() * head);
    }

    /** Series head of K or V. */
    private Series ofGroups(CudaMemory x) {
        return new Series(At.of(x, shape.kvWidth()), shape.headDim());
    }

    private void require(int position, int tokens) {
        if (position < 0 || tokens < 1 || position > positions - tokens) {
            throw new IllegalArgumentException(
                    "there is no room for " + tokens + " tokens from position " + position + " on, of " + positions);
        }
    }

    @Override
    public void close() {
        synchronized (owner) {
            memory.close();
        }
    }
}
