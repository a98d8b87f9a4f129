package dev.obr.kernels.gpu.tokens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.EmulationException;
import dev.obr.kernels.emulator.LaunchCounters;
import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.linear.DeviceRun;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The largest logits, searched instruction by instruction: those that sorting finds. */
class TopKTest {
    private static final int ROWS = 5;

    @ParameterizedTest
    @CsvSource({"1, 1", "31, 5", "200, 256", "300, 256", "8192, 40", "8193, 256", "20000, 1", "20000, 100"})
    void theLargestAreThoseOfSorting(int vocabulary, int k) {
        float[][] rows = rows(vocabulary);
        for (Schedule schedule : new Schedule[] {Schedule.GREEDY, Schedule.REVERSED}) {
            try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, schedule);
                    TopK topK = new TopK(run.device(), ROWS, vocabulary, k)) {
                check(run, topK, rows);
                for (LaunchCounters counters : run.allCounters()) {
                    assertThat(counters.sharedWavefronts())
                            .as("the worst lines: %s", counters.worst(4))
                            .isLessThanOrEqualTo(counters.idealSharedWavefronts() * 11 / 10);
                }
            }
        }
    }

    /** Logits as a model has them, with many equals, all equal, zeros of both signs, hardly any that are not -infinity. */
    private static float[][] rows(int vocabulary) {
        Random random = new Random(vocabulary);
        float[][] rows = new float[ROWS][vocabulary];
        for (int i = 0; i < vocabulary; i++) {
            rows[0][i] = (float) random.nextGaussian() * 4;
            rows[1][i] = random.nextInt(200) / 8f - 30;
            rows[2][i] = -7;
            rows[3][i] = i % 3 - 1 == 0 ? -0f : i % 3 - 2;
            rows[4][i] = i % 1000 == 0 ? i : Float.NEGATIVE_INFINITY;
        }
        return rows;
    }

    private static void check(DeviceRun run, TopK topK, float[][] rows) {
        Candidates candidates = topK.candidates();
        int vocabulary = candidates.vocabulary();
        int k = candidates.k();
        int stride = vocabulary + 3;
        float[] logits = new float[rows.length * stride];
        for (int row = 0; row < rows.length; row++) {
            System.arraycopy(rows[row], 0, logits, row * stride, vocabulary);
        }
        try (GpuMemory from = run.upload(MemorySegment.ofArray(logits))) {
            topK.find(run.stream(), new Rows(from, 0, stride), rows.length);
            float[] values = run.download(candidates.values()).toArray(DeviceRun.FLOAT);
            int[] tokens = run.download(candidates.tokens()).toArray(ValueLayout.JAVA_INT);
            float[] totals = run.download(candidates.totals()).toArray(DeviceRun.FLOAT);
            for (int row = 0; row < rows.length; row++) {
                float[] of = rows[row];
                int[] expected = IntStream.range(0, vocabulary)
                        .boxed()
                        .sorted(Comparator.comparingDouble((Integer i) -> -(of[i] + 0.0)))
                        .mapToInt(Integer::intValue)
                        .limit(k)
                        .toArray();
                double total = 0;
                for (float logit : of) {
                    total += Math.exp((double) logit - of[expected[0]]);
                }
                for (int i = 0; i < k; i++) {
                    assertThat(tokens[row * k + i])
                            .as("row %d, place %d", row, i)
                            .isEqualTo(expected[i]);
                    assertThat(values[row * k + i]).isEqualTo(of[expected[i]] + 0f);
                }
                assertThat((double) totals[row]).isCloseTo(total, within(total * 0x1p-17));
            }
        }
    }

    /** Without any one of its barriers, the emulator stops it or the result differs. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    void aMissingBarrierIsFound(int barrier) {
        String ptx = KernelModule.TOPK.ptx();
        List<MatchResult> barriers =
                Pattern.compile("bar\\.sync\\s+0;").matcher(ptx).results().toList();
        assertThat(barriers).hasSize(6);
        assertThat(passes(ptx)).isTrue();
        assertThat(passes(ptx.substring(0, barriers.get(barrier).start())
                        + ptx.substring(barriers.get(barrier).end())))
                .isFalse();
    }

    private static boolean passes(String ptx) {
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, Schedule.ROUND_ROBIN)) {
            GpuModule module = run.device().load("mutant.ptx", ptx);
            try (TopK topK = new TopK(run.device(), module, 1, 9000, 50)) {
                check(run, topK, new float[][] {rows(9000)[0]});
                return true;
            }
        } catch (EmulationException | AssertionError found) {
            return false;
        }
    }

    @Test
    void argumentsThatDoNotFitAreSentences() {
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, Schedule.ROUND_ROBIN);
                TopK topK = new TopK(run.device(), 2, 100, 5)) {
            GpuMemory some = run.device().allocate(400);
            assertThatThrownBy(() -> new TopK(run.device(), 1, 1000, 257))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("the 257 largest of 1000 logits");
            assertThatThrownBy(() -> topK.find(run.stream(), Rows.of(some, 100), 3))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("of 3 rows");
            assertThatThrownBy(() -> topK.find(run.stream(), Rows.of(some, 100), 2))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("logits has 400 bytes, but 800 are needed");
        }
    }
}
