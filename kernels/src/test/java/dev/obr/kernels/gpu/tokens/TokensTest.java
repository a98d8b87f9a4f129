package dev.obr.kernels.gpu.tokens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.LaunchCounters;
import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.linear.DeviceRun;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tokens to activations and logits to tokens, run instruction by instruction. */
class TokensTest {
    @ParameterizedTest
    @CsvSource({"8, 3", "64, 5", "576, 1", "4096, 2"})
    void rowsOfTheTableAreGathered(int columns, int tokens) {
        int vocabulary = 11;
        short[] table = new short[vocabulary * columns];
        Random random = new Random(columns);
        for (int i = 0; i < table.length; i++) {
            table[i] = Float.floatToFloat16((float) random.nextGaussian());
        }
        int[] ids = {10, 0, 3, 3, -1};
        short[] expected = new short[tokens * columns];
        for (int t = 0; t < tokens; t++) {
            for (int c = 0; c < columns; c++) {
                expected[t * columns + c] = ids[t] < 0 ? 0x7fff : table[ids[t] * columns + c];
            }
        }
        for (Schedule schedule : new Schedule[] {Schedule.GREEDY, Schedule.REVERSED}) {
            try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, schedule);
                    Embedding embedding = new Embedding(run.device());
                    GpuMemory rows = run.upload(MemorySegment.ofArray(table));
                    GpuMemory which = run.upload(MemorySegment.ofArray(ids));
                    GpuMemory y = run.device().allocate(2L * expected.length)) {
                embedding.gather(run.stream(), rows, vocabulary, columns, which, tokens, y);
                assertThat(run.download(y).toArray(DeviceRun.HALF)).isEqualTo(expected);
                checkCounters(run.counters());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"F32, 1", "F16, 31", "F32, 512", "F16, 1025", "F32, 5000", "F16, 5000"})
    void theFirstOfTheLargestLogitsIsFound(NormQuantizer.Input input, int vocabulary) {
        Random random = new Random(vocabulary);
        float[][] rows = new float[5][vocabulary];
        for (int i = 0; i < vocabulary; i++) {
            rows[0][i] = random.nextInt(200) / 8f - 30; // with many equals
            rows[1][i] = -1 - random.nextInt(50);
            rows[2][i] = i % 2 == 0 ? -0f : 0; // all equal
            rows[3][i] = Float.NEGATIVE_INFINITY;
            rows[4][i] = i == vocabulary - 1 ? Float.POSITIVE_INFINITY : 65504;
        }
        MemorySegment logits = MemorySegment.ofArray(new byte[5 * vocabulary * input.bytes()]);
        int[] expected = new int[5];
        for (int r = 0; r < 5; r++) {
            for (int i = 0; i < vocabulary; i++) {
                if (input == NormQuantizer.Input.F16) {
                    logits.setAtIndex(DeviceRun.HALF, (long) r * vocabulary + i, Float.floatToFloat16(rows[r][i]));
                } else {
                    logits.setAtIndex(DeviceRun.FLOAT, (long) r * vocabulary + i, rows[r][i]);
                }
                if (rows[r][i] > rows[r][expected[r]]) {
                    expected[r] = i;
                }
            }
        }
        for (Schedule schedule : new Schedule[] {Schedule.GREEDY, Schedule.REVERSED}) {
            try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, schedule);
                    Argmax argmax = new Argmax(run.device(), input);
                    GpuMemory from = run.upload(logits);
                    GpuMemory tokens = run.device().allocate(20)) {
                argmax.find(run.stream(), Rows.of(from, vocabulary), 5, vocabulary, tokens);
                assertThat(run.download(tokens).toArray(ValueLayout.JAVA_INT)).isEqualTo(expected);
                LaunchCounters counters = run.counters();
                assertThat(counters.sharedWavefronts()).isEqualTo(counters.idealSharedWavefronts());
            }
        }
    }

    private static void checkCounters(LaunchCounters counters) {
        String worst = "the worst lines: " + counters.worst(4);
        assertThat(counters.globalStoreSectors()).as(worst).isEqualTo(counters.idealGlobalStoreSectors());
        assertThat(counters.globalLoadSectors()).as(worst).isEqualTo(counters.idealGlobalLoadSectors());
    }

    @Test
    void argumentsThatDoNotFitAreSentences() {
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, Schedule.ROUND_ROBIN);
                Embedding embedding = new Embedding(run.device());
                Argmax argmax = new Argmax(run.device(), NormQuantizer.Input.F32)) {
            GpuMemory some = run.device().allocate(256);
            assertThatThrownBy(() -> embedding.gather(run.stream(), some, 2, 12, some, 1, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("1 rows of 12 activations");
            assertThatThrownBy(() -> argmax.find(run.stream(), Rows.of(some, 33), 2, 33, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("logits has 256 bytes, but 264 are needed");
        }
    }
}
