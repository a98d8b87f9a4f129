package dev.obr.kernels.gpu.tokens;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;

/**
 * The k largest logits of each row in a device's memory, largest first, the lower token first of equals.
 *
 * @param rows of logits at most
 * @param vocabulary logits of a row
 * @param k of them that are kept
 * @param values float32 [rows, k]
 * @param tokens int32 [rows, k]
 * @param totals float32 [rows], the sum of e^(logit - largest) over the vocabulary, within 2^-17
 */
public record Candidates(int rows, int vocabulary, int k, GpuMemory values, GpuMemory tokens, GpuMemory totals)
        implements AutoCloseable {
    static Candidates allocate(GpuDevice device, int rows, int vocabulary, int k) {
        return new Candidates(
                rows,
                vocabulary,
                k,
                device.allocate(4L * rows * k),
                device.allocate(4L * rows * k),
                device.allocate(4L * rows));
    }

    @Override
    public void close() {
        values.close();
        tokens.close();
        totals.close();
    }
}
