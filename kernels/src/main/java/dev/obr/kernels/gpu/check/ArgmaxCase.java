package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;
import static dev.obr.kernels.gpu.linear.NormQuantizer.Input.F16;
import static dev.obr.kernels.gpu.linear.NormQuantizer.Input.F32;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import dev.obr.kernels.gpu.tokens.Argmax;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;

/** The largest of some rows of logits, among them many equals, zeros of both signs and infinities. */
record ArgmaxCase(NormQuantizer.Input input, int vocabulary, Extent extent) implements KernelCase {
    private static final int ROWS = 5;

    static KernelCheck check() {
        return new KernelCheck(
                KernelModule.ARGMAX,
                List.of(
                        new ArgmaxCase(F32, 1, QUICK),
                        new ArgmaxCase(F16, 31, QUICK),
                        new ArgmaxCase(F32, 1025, QUICK),
                        new ArgmaxCase(F16, 512, USUAL),
                        new ArgmaxCase(F16, 5000, USUAL),
                        new ArgmaxCase(F32, 5000, USUAL),
                        new ArgmaxCase(F32, 128256, DEVICE)));
    }

    @Override
    public Comparison run(DeviceData data) {
        Random random = new Random(vocabulary);
        Activations logits = Activations.random(input, ROWS * vocabulary, random);
        int[] expected = new int[ROWS];
        for (int i = 0; i < ROWS * vocabulary; i++) {
            int token = i % vocabulary;
            logits.set(input, i, logit(i / vocabulary, token, random));
            int row = i / vocabulary;
            if (logits.values()[i] > logits.values()[row * vocabulary + expected[row]]) {
                expected[row] = token;
            }
        }
        try (Argmax kernel = new Argmax(data.device(), input)) {
            GpuMemory tokens = data.results(4L * ROWS);
            kernel.find(data.stream(), Rows.of(data.upload(logits.bytes()), vocabulary), ROWS, vocabulary, tokens);
            MemorySegment found = data.download(tokens);
            return Comparison.equal(
                            ROWS,
                            i -> found.getAtIndex(ValueLayout.JAVA_INT, i),
                            i -> expected[i],
                            i -> "the token of row " + i)
                    .and(DeviceData.guard(found));
        }
    }

    private float logit(int row, int token, Random random) {
        return switch (row) {
            case 0 -> random.nextInt(200) / 8f - 30;
            case 1 -> -1 - random.nextInt(50);
            case 2 -> token % 2 == 0 ? -0f : 0;
            case 3 -> Float.NEGATIVE_INFINITY;
            default -> token == vocabulary - 1 ? Float.POSITIVE_INFINITY : 65504;
        };
    }

    @Override
    public String toString() {
        return ROWS + " rows of " + vocabulary + " logits " + input;
    }
}
