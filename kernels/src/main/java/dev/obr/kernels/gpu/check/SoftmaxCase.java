package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.attention.CausalSoftmax;
import dev.obr.kernels.gpu.attention.ScalarCausalSoftmax;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Weights of a tile of queries.
 *
 * @param first positions that the first query sees
 * @param behind floats of a row that belong to no position
 * @param spread of the scores
 */
record SoftmaxCase(int heads, int queries, int first, int behind, float spread, Extent extent) implements KernelCase {
    static KernelCheck check() {
        return new KernelCheck(
                KernelModule.CAUSAL_SOFTMAX,
                List.of(
                        new SoftmaxCase(1, 1, 1, 0, 1, QUICK),
                        new SoftmaxCase(3, 5, 30, 2, 4, QUICK),
                        new SoftmaxCase(1, 33, 1, 31, 1, USUAL),
                        new SoftmaxCase(2, 1, 31, 1, 1, USUAL),
                        new SoftmaxCase(2, 1, 32, 0, 1e4f, USUAL),
                        new SoftmaxCase(2, 3, 33, 0, 1e30f, USUAL),
                        new SoftmaxCase(3, 40, 261, 20, 10, USUAL),
                        new SoftmaxCase(32, 64, 1985, 0, 10, DEVICE)));
    }

    @Override
    public Comparison run(DeviceData data) {
        Random random = new Random(17L * queries + first);
        CausalSoftmax.Tile tile = new CausalSoftmax.Tile(heads, queries, first, first + queries - 1 + behind);
        float[] scores = new float[heads * queries * tile.stride()];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = spread * (float) random.nextGaussian();
        }
        if (heads > 2) {
            scores[scores.length - tile.stride()] = Float.NaN; // of one query of one head
        }
        try (CausalSoftmax kernel = new CausalSoftmax(data.device())) {
            GpuMemory there = data.results((long) Float.BYTES * scores.length);
            data.stream().copyIn(MemorySegment.ofArray(scores), there, 0);
            kernel.run(data.stream(), tile, there);
            MemorySegment found = data.download(there);
            expect(scores, tile);
            return Comparison.equal(
                            scores.length,
                            i -> found.getAtIndex(DeviceData.FLOAT, i),
                            i -> scores[i],
                            i -> "head " + i / tile.stride() / queries + ", query " + i / tile.stride() % queries
                                    + ", position " + i % tile.stride())
                    .and(DeviceData.guard(found));
        }
    }

    private void expect(float[] scores, CausalSoftmax.Tile tile) {
        for (int row = 0; row < heads * queries; row++) {
            int at = row * tile.stride();
            float[] weights = Arrays.copyOfRange(scores, at, at + tile.columns());
            ScalarCausalSoftmax.run(weights, first + row % queries);
            System.arraycopy(weights, 0, scores, at, weights.length);
        }
    }

    @Override
    public String toString() {
        return heads + " heads, " + queries + " queries, the first of which sees " + first + " positions";
    }
}
