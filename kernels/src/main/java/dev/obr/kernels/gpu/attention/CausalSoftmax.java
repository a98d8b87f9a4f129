package dev.obr.kernels.gpu.attention;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.LaunchShape;

/** Launches the softmax of a tile of queries of all heads: {@code causal_softmax.cu}. */
public final class CausalSoftmax implements AutoCloseable {
    private static final int THREADS = 256;
    private static final int ROWS = THREADS / 32; // of a thread block: a warp each

    private final GpuModule module;
    private final GpuKernel kernel;

    public CausalSoftmax(GpuDevice device) {
        module = KernelModule.CAUSAL_SOFTMAX.load(device);
        kernel = module.kernel("causal_softmax");
    }

    /**
     * Scores of some queries.
     *
     * @param queries of each head
     * @param first positions that the first query sees; each sees one more than the one before it
     * @param stride floats from one query to the next
     */
    public record Tile(int heads, int queries, int first, int stride) {
        public Tile {
            if (heads < 1 || queries < 1 || first < 1 || (long) first + queries - 1 > stride) {
                throw new IllegalArgumentException("no tile has " + queries + " queries of " + heads
                        + " heads, the first of which sees " + first + " positions, in rows of " + stride);
            }
        }

        /** Positions that its last query sees. */
        public int columns() {
            return first + queries - 1;
        }
    }

    /** Queues the softmax of {@code scores}, f32 [heads][queries][stride], in place. */
    public void run(GpuStream stream, Tile tile, GpuMemory scores) {
        int rows = Math.multiplyExact(tile.heads, tile.queries);
        scores.requireBytes("scores", (long) Float.BYTES * rows * tile.stride);
        stream.launch(
                kernel,
                LaunchShape.of(Math.ceilDiv(rows, ROWS), THREADS, 0),
                new KernelArguments()
                        .pointer(scores)
                        .i32(rows)
                        .i32(tile.queries)
                        .i32(tile.first)
                        .i32(tile.columns())
                        .i32(tile.stride));
    }

    @Override
    public void close() {
        module.close();
    }
}
