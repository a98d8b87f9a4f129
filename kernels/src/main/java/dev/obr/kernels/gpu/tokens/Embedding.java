package dev.obr.kernels.gpu.tokens;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.LaunchShape;
import dev.obr.kernels.gpu.Rows;

/** Launches the gathering of a table's rows: {@code embed_f16}. */
public final class Embedding implements AutoCloseable {
    private static final int COLUMNS_AT_ONCE = 8;

    private final GpuModule module;
    private final GpuKernel kernel;

    public Embedding(GpuDevice device) {
        this.module = KernelModule.EMBED.load(device);
        this.kernel = module.kernel("embed_f16");
    }

    /**
     * Queues y[t] = table[ids[t]]; a row of no numbers where the table has no such row.
     *
     * @param table fp16 [vocabulary, columns]
     * @param ids int32 [tokens]
     * @param y fp16 [tokens, columns]
     */
    public void gather(
            GpuStream stream, GpuMemory table, int vocabulary, int columns, GpuMemory ids, int tokens, GpuMemory y) {
        if (tokens < 1 || columns < COLUMNS_AT_ONCE || columns % COLUMNS_AT_ONCE != 0) {
            throw new ObrException(tokens + " rows of " + columns
                    + " activations are to be gathered; at least 1 row of a multiple of " + COLUMNS_AT_ONCE
                    + " can be");
        }
        Rows.of(table, columns).check("embeddings", vocabulary, columns, Short.BYTES);
        Rows.of(ids, 1).check("tokens", tokens, 1, Integer.BYTES);
        Rows.of(y, columns).check("activations", tokens, columns, Short.BYTES);
        int row = columns / COLUMNS_AT_ONCE;
        stream.launch(
                kernel,
                LaunchShape.of(tokens, Math.min(256, Math.ceilDiv(row, 32) * 32), 0),
                new KernelArguments()
                        .pointer(table)
                        .pointer(ids)
                        .pointer(y)
                        .i32(vocabulary)
                        .i32(row));
    }

    @Override
    public void close() {
        module.close();
    }
}
