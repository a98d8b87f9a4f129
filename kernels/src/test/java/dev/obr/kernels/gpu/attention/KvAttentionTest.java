package dev.obr.kernels.gpu.attention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.LaunchCounters;
import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.check.Sequences;
import dev.obr.kernels.gpu.linear.DeviceRun;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import dev.obr.kernels.quantize.KvQuantizer;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Attention over codes, run instruction by instruction: equal to the scalar twin to the bit, and within rounding of attention in double over the numbers that the codes stand for. */
class KvAttentionTest {
    /** Of the largest value: what half floats may be off; queries and weights of 16 bits stay below. */
    private static final double TOLERANCE = 0x1p-12;

    @ParameterizedTest
    @CsvSource({
        // headDim, group, kvHeads, positions of the tokens
        "  8, 2, 4, 1 5 2",
        "  8, 1, 1, 700",
        "  8, 8, 1, 130",
        " 32, 3, 2, 33 1",
        " 32, 1, 3, 257",
        " 64, 3, 3, 70 256",
        " 64, 4, 1, 255 512 3",
        " 64, 8, 1, 9",
        " 64, 7, 2, 64 65 63",
        "128, 1, 2, 1 17",
        "128, 2, 2, 300",
        "128, 3, 1, 7",
        "128, 4, 2, 70 260",
        "128, 8, 1, 515",
    })
    void resultsEqualTheTwinAndAttentionInDouble(int headDim, int group, int kvHeads, String positions) {
        int[] lengths =
                Arrays.stream(positions.split(" ")).mapToInt(Integer::parseInt).toArray();
        Sequences sequences = new Sequences(headDim, group, kvHeads, 704, lengths, 1);
        float[] expected = twinNearDouble(sequences, headDim, group, kvHeads, 1);
        for (Schedule schedule : new Schedule[] {Schedule.GREEDY, Schedule.REVERSED}) {
            try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, schedule);
                    KvCodeCache cache = sequences.upload(run.device(), run.stream());
                    GpuMemory q = run.upload(MemorySegment.ofArray(sequences.queries()));
                    GpuMemory places = run.upload(MemorySegment.ofArray(sequences.places()));
                    GpuMemory y = run.device().allocate(4L * expected.length);
                    KvAttention attention = new KvAttention(
                            run.device(),
                            NormQuantizer.Input.F32,
                            group * kvHeads,
                            kvHeads,
                            headDim,
                            704,
                            lengths.length)) {
                attention.decode(run.stream(), q, places, lengths.length, 704, cache, y);
                assertThat(run.download(y).toArray(DeviceRun.FLOAT)).isEqualTo(expected);
                run.allCounters().forEach(counters -> checkCounters(headDim, counters));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        // headDim, group, kvHeads, length, tokens
        "  8, 2, 4,  12, 12",
        "  8, 1, 2, 260, 17",
        " 32, 3, 2,  35, 5",
        " 64, 3, 3,  40, 40",
        " 64, 4, 1, 513, 3",
        " 64, 2, 2, 258, 7",
        "128, 1, 1, 520, 11",
        "128, 4, 2,   9, 9",
        "128, 8, 1, 258, 4",
        " 64, 7, 2, 130, 14",
        "128, 5, 1,  66, 66",
    })
    void promptsHaveTheSameResults(int headDim, int group, int kvHeads, int length, int tokens) {
        Sequences sequences = new Sequences(headDim, group, kvHeads, 528, new int[] {length}, tokens);
        float[] expected = twinNearDouble(sequences, headDim, group, kvHeads, tokens);
        for (Schedule schedule : new Schedule[] {Schedule.GREEDY, Schedule.REVERSED}) {
            try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, schedule);
                    KvCodeCache cache = sequences.upload(run.device(), run.stream());
                    GpuMemory q = run.upload(MemorySegment.ofArray(sequences.queries()));
                    GpuMemory places = run.upload(MemorySegment.ofArray(sequences.places()));
                    GpuMemory y = run.device().allocate(4L * expected.length);
                    KvAttention attention = new KvAttention(
                            run.device(), NormQuantizer.Input.F32, group * kvHeads, kvHeads, headDim, 528, 1)) {
                attention.prefill(run.stream(), q, places, tokens, cache, y);
                assertThat(run.download(y).toArray(DeviceRun.FLOAT)).isEqualTo(expected);
                run.allCounters().forEach(counters -> checkCounters(headDim, counters));
            }
        }
    }

    private static float[] twinNearDouble(Sequences sequences, int headDim, int group, int kvHeads, int tokens) {
        float[] expected = sequences.twin();
        double[] exact = inDouble(sequences, headDim, group, kvHeads, tokens);
        double most = Arrays.stream(exact).map(Math::abs).max().orElseThrow();
        for (int i = 0; i < exact.length; i++) {
            assertThat((double) expected[i]).as("element %d", i).isCloseTo(exact[i], offset(TOLERANCE * most));
        }
        return expected;
    }

    /** Softmax attention over the numbers that the codes stand for. */
    private static double[] inDouble(Sequences sequences, int headDim, int group, int kvHeads, int tokens) {
        KvQuantizer quantizer = new KvQuantizer(4, headDim);
        float[] queries = sequences.queries();
        double[] y = new double[queries.length];
        float[] x = new float[headDim];
        for (int i = 0; i < queries.length / headDim; i++) {
            int token = i / (kvHeads * group);
            int s = token / tokens;
            int head = i / group % kvHeads;
            double[] weights = new double[sequences.seen(token)];
            for (int p = 0; p < weights.length; p++) {
                quantizer.expand(sequences.codes(false, s, head), (long) p * quantizer.byteSize(), x, 0);
                for (int d = 0; d < headDim; d++) {
                    weights[p] += (double) queries[i * headDim + d] * x[d] / Math.sqrt(headDim);
                }
            }
            double largest = Arrays.stream(weights).max().orElseThrow();
            double total =
                    Arrays.stream(weights).map(w -> Math.exp(w - largest)).sum();
            for (int p = 0; p < weights.length; p++) {
                quantizer.expand(sequences.codes(true, s, head), (long) p * quantizer.byteSize(), x, 0);
                for (int d = 0; d < headDim; d++) {
                    y[i * headDim + d] += Math.exp(weights[p] - largest) / total * x[d];
                }
            }
        }
        return y;
    }

    /**
     * A lane loads 8 components of a query as two halves of a sector, the second one from L1. With fewer than 64 components the codes of two positions share a sector, which two loads
     * take in turn.
     */
    private static void checkCounters(int headDim, LaunchCounters counters) {
        String worst = "the worst lines: " + counters.worst(4);
        assertThat(counters.sharedWavefronts())
                .as(worst)
                .isLessThanOrEqualTo(counters.idealSharedWavefronts() * 11 / 10);
        assertThat(counters.globalStoreSectors())
                .as(worst)
                .isLessThanOrEqualTo(counters.idealGlobalStoreSectors() * 11 / 10);
        long halves = counters.worst(Integer.MAX_VALUE).stream()
                .filter(line -> headDim < 64 && line.opcode().startsWith("ld.")
                        || line.opcode().equals("ld.global.nc.v4.f32"))
                .mapToLong(line -> line.sectors() - line.idealSectors())
                .sum();
        assertThat(counters.globalLoadSectors() - halves)
                .as(worst)
                .isLessThanOrEqualTo(counters.idealGlobalLoadSectors() * 11 / 10);
    }

    @Test
    void halfFloatsAreTheFloatsRounded() {
        Sequences sequences = new Sequences(64, 3, 3, 64, new int[] {20}, 1);
        float[] expected = sequences.twin();
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, Schedule.ROUND_ROBIN);
                KvCodeCache cache = sequences.upload(run.device(), run.stream());
                GpuMemory q = run.upload(MemorySegment.ofArray(sequences.queries()));
                GpuMemory places = run.upload(MemorySegment.ofArray(sequences.places()));
                GpuMemory y = run.device().allocate(2L * expected.length);
                KvAttention attention = new KvAttention(run.device(), NormQuantizer.Input.F16, 9, 3, 64, 64, 1)) {
            attention.decode(run.stream(), q, places, 1, 20, cache, y);
            MemorySegment found = run.download(y);
            for (int i = 0; i < expected.length; i++) {
                assertThat(found.getAtIndex(DeviceRun.HALF, i)).isEqualTo(Float.floatToFloat16(expected[i]));
            }
        }
    }

    @Test
    void argumentsThatDoNotFitAreSentences() {
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, Schedule.ROUND_ROBIN)) {
            assertThatThrownBy(() -> new KvAttention(run.device(), NormQuantizer.Input.F16, 18, 2, 64, 64, 1))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("18 query heads share 2 KV heads");
            KvAttention attention = new KvAttention(run.device(), NormQuantizer.Input.F16, 2, 2, 64, 64, 1);
            KvCodeCache cache = new KvCodeCache(run.device(), 1, 2, 64, 64);
            GpuMemory some = run.device().allocate(256);
            assertThatThrownBy(() -> attention.decode(run.stream(), some, some, 2, 64, cache, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("2 tokens attend to 64 positions");
            assertThatThrownBy(() -> attention.decode(run.stream(), some, some, 1, 64, cache, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("queries has 256 bytes, but 512 are needed");
        }
    }
}
