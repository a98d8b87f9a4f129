package dev.obr.kernels.gpu.tokens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.EmulationException;
import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.linear.DeviceRun;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Penalties and draws, run instruction by instruction: tokens and logits equal those of the scalar twin. */
class TokenSamplerTest {
    @ParameterizedTest
    @CsvSource({"1, 1, 20", "7, 7, 40", "40, 900, 60", "256, 5000, 60"})
    void tokensAreThoseOfTheTwin(int k, int vocabulary, int rows) {
        Draws draws = Draws.random(k, vocabulary, rows);
        int[] expected = draws.twin();
        if (vocabulary > k) {
            assertThat(Arrays.stream(expected).filter(token -> token == ScalarSampler.MORE))
                    .as("draws that want more candidates")
                    .hasSizeBetween(rows / 10, rows / 2);
        }
        for (Schedule schedule : new Schedule[] {Schedule.GREEDY, Schedule.REVERSED}) {
            try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, schedule);
                    TokenSampler sampler = new TokenSampler(run.device())) {
                assertThat(draws.run(run, sampler)).isEqualTo(expected);
            }
        }
    }

    /** Rows of candidates with a choice each. */
    private record Draws(int k, int vocabulary, Choice[] choices, float[] values, int[] tokens, float[] totals) {
        static Draws random(int k, int vocabulary, int rows) {
            Random random = new Random(k);
            Choice[] choices = new Choice[rows];
            float[] values = new float[rows * k];
            int[] tokens = random.ints((long) rows * k, 0, vocabulary).toArray();
            float[] totals = new float[rows];
            for (int row = 0; row < rows; row++) {
                choices[row] = choice(random, k);
                float spread = 0.5f + random.nextInt(12);
                float[] all = new float[vocabulary];
                for (int i = 0; i < vocabulary; i++) {
                    all[i] = -(float) random.nextGaussian() * spread;
                }
                Arrays.sort(all);
                double total = 0;
                for (int i = 0; i < vocabulary; i++) {
                    total += Math.exp(all[vocabulary - 1 - i] - all[vocabulary - 1]);
                    if (i < k) {
                        values[row * k + i] = all[vocabulary - 1 - i];
                    }
                }
                totals[row] = (float) total;
            }
            return new Draws(k, vocabulary, choices, values, tokens, totals);
        }

        private static Choice choice(Random random, int k) {
            int topK = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(k + k / 8 + 1);
            float topP = random.nextInt(3) == 0 ? 1 : 0.05f + 0.94f * random.nextFloat();
            float minP = random.nextInt(3) == 0 ? 0 : 0.2f * random.nextFloat();
            float temperature = random.nextInt(10) == 0 ? 0 : 0.1f + 2 * random.nextFloat();
            double uniform = random.nextInt(8) == 0 ? 1 - 0x1p-53 : random.nextDouble();
            return new Choice(uniform, temperature, topK, topP, minP, 1, 0);
        }

        int[] twin() {
            int[] drawn = new int[choices.length];
            for (int row = 0; row < drawn.length; row++) {
                drawn[row] = ScalarSampler.sample(
                        choices[row],
                        Arrays.copyOfRange(values, row * k, row * k + k),
                        Arrays.copyOfRange(tokens, row * k, row * k + k),
                        totals[row],
                        vocabulary);
            }
            return drawn;
        }

        int[] run(DeviceRun run, TokenSampler sampler) {
            int rows = choices.length;
            try (Candidates candidates = new Candidates(
                            rows,
                            vocabulary,
                            k,
                            run.upload(MemorySegment.ofArray(values)),
                            run.upload(MemorySegment.ofArray(tokens)),
                            run.upload(MemorySegment.ofArray(totals)));
                    GpuMemory asked = run.upload(stored(choices));
                    GpuMemory drawn = run.device().allocate(4L * rows)) {
                sampler.sample(run.stream(), candidates, rows, asked, drawn);
                return run.download(drawn).toArray(ValueLayout.JAVA_INT);
            }
        }
    }

    private static MemorySegment stored(Choice... choices) {
        MemorySegment memory = MemorySegment.ofArray(new byte[choices.length * Choice.BYTES]);
        for (int row = 0; row < choices.length; row++) {
            choices[row].store(memory, row);
        }
        return memory;
    }

    @ParameterizedTest
    @CsvSource({"33, 1", "100, 17", "3000, 2000"})
    void tokensThatOccurredArePenalisedOnce(int vocabulary, int contextStride) {
        Random random = new Random(vocabulary);
        Choice[] choices = {
            new Choice(0, 1, 0, 1, 0, 1.3f, 64),
            new Choice(0, 1, 0, 1, 0, 1.1f, -1),
            new Choice(0, 1, 0, 1, 0, 0.7f, 3),
            new Choice(0, 1, 0, 1, 0, 1, -1),
            new Choice(0, 1, 0, 1, 0, 2, 0),
            new Choice(0, 1, 0, 1, 0, 2, -1)
        };
        int[] lengths = {contextStride, contextStride, contextStride, contextStride, contextStride, 0};
        int stride = vocabulary + 5;
        float[] logits = new float[choices.length * stride];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = i % 50 == 0 ? 0 : (float) random.nextGaussian() * 5;
        }
        int[] context = random.ints((long) choices.length * contextStride, -1, vocabulary)
                .toArray();
        float[] expected = logits.clone();
        for (int row = 0; row < choices.length; row++) {
            float[] mine = Arrays.copyOfRange(expected, row * stride, row * stride + vocabulary);
            ScalarSampler.penalise(
                    choices[row],
                    mine,
                    Arrays.copyOfRange(context, row * contextStride, (row + 1) * contextStride),
                    lengths[row]);
            System.arraycopy(mine, 0, expected, row * stride, vocabulary);
        }
        for (Schedule schedule : new Schedule[] {Schedule.GREEDY, Schedule.REVERSED}) {
            try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, schedule);
                    TokenSampler sampler = new TokenSampler(run.device());
                    GpuMemory changed = run.upload(MemorySegment.ofArray(logits));
                    GpuMemory before = run.upload(MemorySegment.ofArray(context));
                    GpuMemory counts = run.upload(MemorySegment.ofArray(lengths));
                    GpuMemory asked = run.upload(stored(choices))) {
                sampler.penalise(
                        run.stream(),
                        new Rows(changed, 0, stride),
                        choices.length,
                        vocabulary,
                        Rows.of(before, contextStride),
                        counts,
                        asked);
                assertThat(run.download(changed).toArray(DeviceRun.FLOAT)).isEqualTo(expected);
            }
        }
    }

    /** Without any one of the draw's barriers, the emulator stops it or the result differs. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void aMissingBarrierIsFound(int barrier) {
        String ptx = KernelModule.SAMPLE.ptx();
        List<MatchResult> barriers =
                Pattern.compile("bar\\.sync\\s+0;").matcher(ptx).results().toList();
        assertThat(barriers).hasSize(4);
        String wrong = ptx.substring(0, barriers.get(barrier).start())
                + ptx.substring(barriers.get(barrier).end());
        assertThat(passes(ptx)).isTrue();
        assertThat(passes(wrong)).isFalse();
    }

    private static boolean passes(String ptx) {
        Draws draws = Draws.random(256, 300, 20);
        float[] logits = new float[3000];
        Arrays.fill(logits, 1);
        int[] context = {2999, 17, 2999, 0, 64, 65};
        Choice choice = new Choice(0, 1, 0, 1, 0, 2, -1);
        float[] expected = logits.clone();
        ScalarSampler.penalise(choice, expected, context, context.length);
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, Schedule.REVERSED);
                TokenSampler sampler = new TokenSampler(run.device().load("mutant.ptx", ptx));
                GpuMemory changed = run.upload(MemorySegment.ofArray(logits));
                GpuMemory before = run.upload(MemorySegment.ofArray(context));
                GpuMemory counts = run.upload(MemorySegment.ofArray(new int[] {context.length}));
                GpuMemory asked = run.upload(stored(choice))) {
            sampler.penalise(
                    run.stream(), Rows.of(changed, 3000), 1, 3000, Rows.of(before, context.length), counts, asked);
            return Arrays.equals(run.download(changed).toArray(DeviceRun.FLOAT), expected)
                    && Arrays.equals(draws.run(run, sampler), draws.twin());
        } catch (EmulationException found) {
            return false;
        }
    }

    @Test
    void argumentsThatDoNotFitAreSentences() {
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, Schedule.ROUND_ROBIN);
                TokenSampler sampler = new TokenSampler(run.device());
                TopK topK = new TopK(run.device(), 2, 100, 5)) {
            GpuMemory some = run.device().allocate(79);
            assertThatThrownBy(() -> sampler.sample(run.stream(), topK.candidates(), 2, some, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("choices has 79 bytes, but 80 are needed");
            assertThatThrownBy(() -> sampler.penalise(
                            run.stream(), Rows.of(some, 400000), 1, 400000, Rows.of(some, 1), some, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("1 rows of 400000 logits");
        }
    }
}
