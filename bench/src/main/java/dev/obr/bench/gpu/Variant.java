package dev.obr.bench.gpu;

import dev.obr.bench.roofline.ProductKernel;
import dev.obr.kernels.gpu.GpuStream;
import org.jspecify.annotations.Nullable;

/**
 * One kernel with its operands.
 *
 * @param kernel that the timing model knows; none of a library's
 * @param reference whether others are compared with it
 * @param recordable whether a graph can hold it
 * @param inputBytes of the activations
 * @param work queues it once more
 * @param ending gives back what it has of its own
 */
record Variant(
        ProductSize size,
        @Nullable ProductKernel kernel,
        String name,
        boolean reference,
        boolean recordable,
        long weightBytes,
        long inputBytes,
        Work work,
        Runnable ending)
        implements Timed, AutoCloseable {
    /** What a repetition moves at least, so that the launch of its graph is a hundredth of its time. */
    private static final long REPETITION_BYTES = 1L << 30;

    interface Work {
        void queue(GpuStream stream, int turn);
    }

    /** One of our kernels. */
    static Variant ours(
            ProductSize size, ProductKernel kernel, String name, long weightBytes, long inputBytes, Work work) {
        boolean reference = kernel == ProductKernel.HALF;
        return new Variant(size, kernel, name, reference, true, weightBytes, inputBytes, work, () -> {});
    }

    @Override
    public int turns() {
        long moved = weightBytes + inputBytes + 2L * size.tokens() * size.features();
        return Math.toIntExact(Math.ceilDiv(REPETITION_BYTES, moved));
    }

    @Override
    public void queue(GpuStream stream, int turn) {
        work.queue(stream, turn);
    }

    /** A row of what was measured. */
    ProductRow row(Sample sample) {
        return new ProductRow(size, kernel, name, reference, weightBytes, turns(), sample);
    }

    @Override
    public void close() {
        ending.run();
    }
}
