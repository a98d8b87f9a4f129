package dev.obr.kernels.gpu.linear;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.LaunchCounters;
import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.Rows;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The norm alone, run instruction by instruction: equal to the scalar twin's to the bit, and near the truth. */
class HalfNormTest {
    @ParameterizedTest
    @CsvSource({
        // columns, rows before the first, tokens
        "8, 0, 1",
        "64, 2, 3",
        "576, 1, 2",
        "4096, 0, 2",
        "8200, 1, 1",
        "32768, 0, 1",
    })
    void rowsEqualThoseOfTheTwin(int columns, int first, int tokens) {
        Random random = new Random(columns);
        float[] weight = new float[columns];
        short[] x = new short[(first + tokens) * columns];
        for (int c = 0; c < columns; c++) {
            weight[c] = random.nextFloat() + 0.5f;
        }
        for (int i = 0; i < x.length; i++) {
            x[i] = Float.floatToFloat16((float) random.nextGaussian() * 3);
        }
        for (Schedule schedule : new Schedule[] {Schedule.GREEDY, Schedule.REVERSED}) {
            try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, schedule);
                    HalfNorm kernel = new HalfNorm(run.device());
                    GpuMemory from = run.upload(MemorySegment.ofArray(x));
                    GpuMemory factors = run.upload(MemorySegment.ofArray(weight));
                    GpuMemory y = run.device().allocate(2L * tokens * columns)) {
                Rows rows = new Rows(from, (long) first * columns, columns);
                kernel.normalize(run.stream(), rows, factors, 1e-5f, tokens, columns, y);
                short[] found = run.download(y).toArray(DeviceRun.HALF);
                for (int t = 0; t < tokens; t++) {
                    checkRow(
                            Arrays.copyOfRange(x, (first + t) * columns, (first + t + 1) * columns),
                            weight,
                            Arrays.copyOfRange(found, t * columns, (t + 1) * columns));
                }
                LaunchCounters counters = run.counters();
                assertThat(counters.sharedWavefronts()).isEqualTo(counters.idealSharedWavefronts());
                assertThat(counters.globalStoreSectors()).isEqualTo(counters.idealGlobalStoreSectors());
            }
        }
    }

    private static void checkRow(short[] x, float[] weight, short[] found) {
        float[] h = new float[x.length];
        double squares = 0;
        for (int c = 0; c < x.length; c++) {
            h[c] = Float.float16ToFloat(x[c]);
            squares += (double) h[c] * h[c];
        }
        ScalarNormQuantizer.norm(h, weight, 1e-5f);
        double norm = 1 / Math.sqrt(squares / x.length + 1e-5);
        for (int c = 0; c < x.length; c++) {
            assertThat(found[c]).as("column %d", c).isEqualTo(Float.floatToFloat16(h[c]));
            double truth = Float.float16ToFloat(x[c]) * norm * weight[c];
            assertThat(Math.abs(Float.float16ToFloat(found[c]) - truth))
                    .isLessThanOrEqualTo(0x1p-10 * Math.abs(truth) + 0x1p-25);
        }
    }

    @Test
    void argumentsThatDoNotFitAreSentences() {
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, Schedule.GREEDY);
                HalfNorm kernel = new HalfNorm(run.device());
                GpuMemory some = run.device().allocate(64)) {
            assertThatThrownBy(() -> kernel.normalize(run.stream(), Rows.of(some, 12), some, 0, 1, 12, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("1 tokens of 12 activations are to be normalised");
            assertThatThrownBy(() -> kernel.normalize(run.stream(), Rows.of(some, 16), some, 0, 3, 16, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("the memory of the activations has 64 bytes");
        }
    }
}
