package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.systems.SelectionKernels;
import dev.obr.kernels.linalg.ColumnScores;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;

/** Which weights are kept, most scores being equal to others. The twin counts, for each unit, those that go before it. */
record SelectionCase(int rows, int columns, Pattern pattern, ColumnScores.Metric metric, int pruned, Extent extent)
        implements KernelCase {
    static KernelCheck check() {
        return new KernelCheck(
                KernelModule.MASK_SELECTION,
                List.of(
                        new SelectionCase(1, 1, Pattern.UNSTRUCTURED, ColumnScores.Metric.MAGNITUDE, 0, QUICK),
                        new SelectionCase(9, 77, Pattern.UNSTRUCTURED, ColumnScores.Metric.WANDA, 38, QUICK),
                        new SelectionCase(3, 50, Pattern.PAIRS_4_OF_8, ColumnScores.Metric.SPARSEGPT, 0, QUICK),
                        new SelectionCase(2, 33, Pattern.UNSTRUCTURED, ColumnScores.Metric.SPARSEGPT, 32, USUAL),
                        new SelectionCase(3, 300, Pattern.UNSTRUCTURED, ColumnScores.Metric.MAGNITUDE, 75, USUAL),
                        new SelectionCase(5, 41, Pattern.TWO_OF_FOUR, ColumnScores.Metric.WANDA, 0, USUAL),
                        new SelectionCase(7, 36, Pattern.FOUR_OF_EIGHT, ColumnScores.Metric.SPARSEGPT, 0, USUAL),
                        new SelectionCase(2, 163, Pattern.HALF_OF_64, ColumnScores.Metric.WANDA, 0, USUAL),
                        new SelectionCase(6, 45, Pattern.PAIRS_4_OF_8, ColumnScores.Metric.WANDA, 0, USUAL),
                        new SelectionCase(1000, 4096, Pattern.UNSTRUCTURED, ColumnScores.Metric.WANDA, 2048, DEVICE),
                        new SelectionCase(1000, 4096, Pattern.HALF_OF_64, ColumnScores.Metric.WANDA, 0, DEVICE)));
    }

    @Override
    public Comparison run(DeviceData data) {
        Random random = new Random(31L * rows + columns);
        float[] w = new float[rows * columns];
        for (int i = 0; i < w.length; i++) {
            w[i] = random.nextInt(40) == 0 ? -0f : Math.round(random.nextGaussian() * 8) / 16f;
        }
        float[] by = new float[columns];
        for (int c = 0; c < columns; c++) {
            by[c] = 1 + random.nextInt(4) / 3f;
        }
        ColumnScores scores = new ColumnScores(metric, by);
        byte[] expected = new byte[w.length];
        for (int row = 0; row < rows; row++) {
            keep(w, scores, row, expected);
        }
        try (SelectionKernels kernels = new SelectionKernels(data.device())) {
            GpuMemory kept = data.results(expected.length);
            kernels.select(
                    data.stream(),
                    rows,
                    columns,
                    data.upload(MemorySegment.ofArray(w)),
                    metric,
                    data.upload(MemorySegment.ofArray(by)),
                    pattern,
                    pruned,
                    kept);
            MemorySegment found = data.download(kept);
            return Comparison.equal(
                            expected.length,
                            i -> found.get(ValueLayout.JAVA_BYTE, i),
                            i -> expected[i],
                            i -> "whether row " + i / columns + ", column " + i % columns + " is kept")
                    .and(DeviceData.guard(found));
        }
    }

    /** One row's mask. */
    private void keep(float[] w, ColumnScores scores, int row, byte[] kept) {
        int unit = pattern.unit();
        float[] units = new float[Math.ceilDiv(columns, unit)];
        for (int u = 0; u < units.length; u++) {
            units[u] = scores.of(w[row * columns + u * unit], u * unit);
            if (unit == 2) {
                int second = u * unit + 1;
                double other = second < columns ? scores.of(w[row * columns + second], second) : 0;
                units[u] = (float) Math.sqrt((double) units[u] * units[u] + other * other);
            }
        }
        int group = pattern.grouped() ? pattern.group() / unit : units.length;
        for (int u = 0; u < units.length; u++) {
            int first = u / group * group;
            int end = Math.min(first + group, units.length);
            int fewer = pattern.grouped() ? group / 2 - (first + group - end) : pruned;
            int before = 0;
            for (int other = first; other < end; other++) {
                before += units[other] < units[u] || (units[other] == units[u] && other < u) ? 1 : 0;
            }
            for (int c = u * unit; c < Math.min((u + 1) * unit, columns); c++) {
                kept[row * columns + c] = (byte) (before >= fewer ? 1 : 0);
            }
        }
    }

    @Override
    public String toString() {
        return rows + " rows of " + columns + " columns, " + pattern.label() + " by " + metric;
    }
}
