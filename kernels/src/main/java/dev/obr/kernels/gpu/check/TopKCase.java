package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;

import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.tokens.TopK;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** The largest of some rows of logits, by sorting: as a model has them, many equals, all equal, zeros of both signs, few that are not -infinity. */
record TopKCase(int vocabulary, int k, Extent extent) implements KernelCase {
    private static final int ROWS = 5;

    /** What the sum of exponentials may be off by, as a part of it. */
    private static final double TOLERANCE = 0x1p-17;

    static KernelCheck check() {
        return new KernelCheck(
                KernelModule.TOPK,
                List.of(
                        new TopKCase(31, 5, QUICK),
                        new TopKCase(300, 256, QUICK),
                        new TopKCase(8193, 40, USUAL),
                        new TopKCase(20000, 100, USUAL),
                        new TopKCase(128256, 256, DEVICE)));
    }

    @Override
    public Comparison run(DeviceData data) {
        float[] logits = new float[ROWS * vocabulary];
        Random random = new Random(vocabulary);
        for (int i = 0; i < logits.length; i++) {
            logits[i] = logit(i / vocabulary, i % vocabulary, random);
        }
        try (TopK topK = new TopK(data.device(), ROWS, vocabulary, k)) {
            topK.find(data.stream(), Rows.of(data.upload(MemorySegment.ofArray(logits)), vocabulary), ROWS);
            MemorySegment values = data.download(topK.candidates().values());
            MemorySegment tokens = data.download(topK.candidates().tokens());
            MemorySegment totals = data.download(topK.candidates().totals());
            Comparison all = Comparison.NONE;
            for (int row = 0; row < ROWS; row++) {
                int first = row * vocabulary;
                int[] sorted = IntStream.range(0, vocabulary)
                        .boxed()
                        .sorted(Comparator.comparingDouble((Integer i) -> -(logits[first + i] + 0.0)))
                        .mapToInt(Integer::intValue)
                        .limit(k)
                        .toArray();
                double total = 0;
                for (int i = 0; i < vocabulary; i++) {
                    total += Math.exp((double) logits[first + i] - logits[first + sorted[0]]);
                }
                int at = row * k;
                String of = " of row " + row;
                double sum = total;
                all = all.and(Comparison.equal(
                                k,
                                i -> tokens.getAtIndex(ValueLayout.JAVA_INT, at + i),
                                i -> sorted[i],
                                i -> "token " + i + of))
                        .and(Comparison.equal(
                                k,
                                i -> values.getAtIndex(DeviceData.FLOAT, at + i),
                                i -> logits[first + sorted[i]],
                                i -> "logit " + i + of))
                        .and(Comparison.of(
                                1,
                                i -> totals.getAtIndex(DeviceData.FLOAT, at / k),
                                i -> sum,
                                i -> sum * TOLERANCE,
                                i -> "the total" + of));
            }
            return all;
        }
    }

    private static float logit(int row, int token, Random random) {
        return switch (row) {
            case 0 -> (float) random.nextGaussian() * 4;
            case 1 -> random.nextInt(200) / 8f - 30;
            case 2 -> -7;
            case 3 -> token % 3 == 1 ? -0f : token % 3 - 2;
            default -> token % 1000 == 0 ? token : Float.NEGATIVE_INFINITY;
        };
    }

    @Override
    public String toString() {
        return "the " + k + " largest of " + ROWS + " rows of " + vocabulary + " logits";
    }
}
