package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.tokens.Candidates;
import dev.obr.kernels.gpu.tokens.Choice;
import dev.obr.kernels.gpu.tokens.ScalarSampler;
import dev.obr.kernels.gpu.tokens.TokenSampler;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Penalties in some rows of logits, then draws among the largest of these. */
record SampleCase(int vocabulary, int k, int rows, Extent extent) implements KernelCase {
    private static final int CONTEXT = 17; // tokens that occurred

    static KernelCheck check() {
        return new KernelCheck(
                KernelModule.SAMPLE,
                List.of(
                        new SampleCase(7, 7, 10, QUICK),
                        new SampleCase(900, 40, 20, QUICK),
                        new SampleCase(5000, 256, 60, USUAL),
                        new SampleCase(32000, 64, 300, DEVICE)));
    }

    @Override
    public Comparison run(DeviceData data) {
        Random random = new Random(vocabulary);
        Choice[] choices = new Choice[rows];
        float[] logits = new float[rows * vocabulary];
        int[] context = random.ints((long) rows * CONTEXT, -1, vocabulary).toArray();
        int[] lengths = random.ints(rows, 0, CONTEXT + 1).toArray();
        float[] penalised = new float[rows * vocabulary];
        float[] values = new float[rows * k];
        int[] tokens = random.ints((long) rows * k, 0, vocabulary).toArray();
        float[] totals = new float[rows];
        int[] expected = new int[rows];
        for (int row = 0; row < rows; row++) {
            choices[row] = choice(random);
            float[] own = new float[vocabulary];
            for (int i = 0; i < vocabulary; i++) {
                own[i] = (float) random.nextGaussian() * (1 + row % 7);
            }
            System.arraycopy(own, 0, logits, row * vocabulary, vocabulary);
            int[] seen = Arrays.copyOfRange(context, row * CONTEXT, (row + 1) * CONTEXT);
            ScalarSampler.penalise(choices[row], own, seen, lengths[row]);
            System.arraycopy(own, 0, penalised, row * vocabulary, vocabulary);
            Arrays.sort(own);
            double total = 0;
            for (int i = 0; i < vocabulary; i++) {
                total += Math.exp((double) own[vocabulary - 1 - i] - own[vocabulary - 1]);
                if (i < k) {
                    values[row * k + i] = own[vocabulary - 1 - i];
                }
            }
            totals[row] = (float) total;
            expected[row] = ScalarSampler.sample(
                    choices[row],
                    Arrays.copyOfRange(values, row * k, (row + 1) * k),
                    Arrays.copyOfRange(tokens, row * k, (row + 1) * k),
                    totals[row],
                    vocabulary);
        }
        MemorySegment stored = MemorySegment.ofArray(new byte[rows * Choice.BYTES]);
        for (int row = 0; row < rows; row++) {
            choices[row].store(stored, row);
        }
        try (TokenSampler kernel = new TokenSampler(data.device())) {
            GpuMemory asked = data.upload(stored);
            GpuMemory changed = data.upload(MemorySegment.ofArray(logits));
            kernel.penalise(
                    data.stream(),
                    Rows.of(changed, vocabulary),
                    rows,
                    vocabulary,
                    Rows.of(data.upload(MemorySegment.ofArray(context)), CONTEXT),
                    data.upload(MemorySegment.ofArray(lengths)),
                    asked);
            Candidates candidates = new Candidates(
                    rows,
                    vocabulary,
                    k,
                    data.upload(MemorySegment.ofArray(values)),
                    data.upload(MemorySegment.ofArray(tokens)),
                    data.upload(MemorySegment.ofArray(totals)));
            GpuMemory drawn = data.results(4L * rows);
            kernel.sample(data.stream(), candidates, rows, asked, drawn);
            MemorySegment foundLogits = data.download(changed);
            MemorySegment found = data.download(drawn);
            return Comparison.equal(
                            penalised.length,
                            i -> foundLogits.getAtIndex(DeviceData.FLOAT, i),
                            i -> penalised[i],
                            i -> "the logit of row " + i / vocabulary + ", token " + i % vocabulary)
                    .and(Comparison.equal(
                            rows,
                            i -> found.getAtIndex(ValueLayout.JAVA_INT, i),
                            i -> expected[i],
                            i -> "the draw of row " + i))
                    .and(DeviceData.guard(found));
        }
    }

    private Choice choice(Random random) {
        int topK = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(k + k / 8 + 1);
        float topP = random.nextInt(3) == 0 ? 1 : 0.05f + 0.94f * random.nextFloat();
        float minP = random.nextInt(3) == 0 ? 0 : 0.2f * random.nextFloat();
        float temperature = random.nextInt(10) == 0 ? 0 : 0.1f + 2 * random.nextFloat();
        float penalty = 0.7f + random.nextFloat();
        return new Choice(random.nextDouble(), temperature, topK, topP, minP, penalty, random.nextInt(CONTEXT) - 1);
    }

    @Override
    public String toString() {
        return rows + " rows of " + vocabulary + " logits, draws of " + k + " candidates";
    }
}
