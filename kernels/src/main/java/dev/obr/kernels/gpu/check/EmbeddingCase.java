package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import dev.obr.kernels.gpu.tokens.Embedding;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;

/** Rows of a table; the last token is none of it. */
record EmbeddingCase(int vocabulary, int columns, int tokens, Extent extent) implements KernelCase {
    static KernelCheck check() {
        return new KernelCheck(
                KernelModule.EMBED,
                List.of(
                        new EmbeddingCase(11, 8, 3, QUICK),
                        new EmbeddingCase(11, 576, 5, QUICK),
                        new EmbeddingCase(7, 4096, 2, USUAL),
                        new EmbeddingCase(3000, 2048, 1000, DEVICE)));
    }

    @Override
    public Comparison run(DeviceData data) {
        Random random = new Random(columns);
        Activations table = Activations.random(NormQuantizer.Input.F16, vocabulary * columns, random);
        int[] ids = random.ints(tokens, 0, vocabulary).toArray();
        ids[tokens - 1] = -1;
        try (Embedding kernel = new Embedding(data.device())) {
            GpuMemory y = data.results(2L * tokens * columns);
            kernel.gather(
                    data.stream(),
                    data.upload(table.bytes()),
                    vocabulary,
                    columns,
                    data.upload(MemorySegment.ofArray(ids)),
                    tokens,
                    y);
            MemorySegment found = data.download(y);
            return Comparison.equal(
                            tokens * columns,
                            i -> Float.float16ToFloat(found.getAtIndex(DeviceData.HALF, i)),
                            i -> ids[i / columns] < 0
                                    ? Float.NaN
                                    : table.values()[ids[i / columns] * columns + i % columns],
                            i -> "token " + i / columns + ", column " + i % columns)
                    .and(DeviceData.guard(found));
        }
    }

    @Override
    public String toString() {
        return tokens + " of " + vocabulary + " rows of " + columns + " columns";
    }
}
