package dev.obr.bench.gpu;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;

/** A product of half floats that is not ours, with weights of its own kind in several copies. */
public interface Rival extends AutoCloseable {
    /** It with activations and room for results. */
    interface Ready extends AutoCloseable {
        /** Queues y = W . x, by another copy of W each turn. */
        void queue(GpuStream stream, int turn);

        @Override
        void close();
    }

    /** What tables call it. */
    String name();

    /** Of one copy. */
    long weightBytes();

    /**
     * Prepares a product of these operands.
     *
     * @param x fp16 [tokens, columns]
     * @param y fp16 [tokens, features]
     * @throws dev.obr.kernels.ObrException where the library does not multiply these
     */
    Ready with(GpuStream stream, GpuMemory x, int tokens, GpuMemory y);

    @Override
    void close();
}
