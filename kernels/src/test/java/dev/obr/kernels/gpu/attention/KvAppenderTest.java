package dev.obr.kernels.gpu.attention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.LaunchCounters;
import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.linear.DeviceRun;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rotation, transform and append, run instruction by instruction: queries, codes and steps equal those of the scalar twin to the bit. */
class KvAppenderTest {
    private static final int SLOTS = 2;
    private static final int CAPACITY = 24;
    private static final float EPS = 1e-6f;

    /** Tokens of a prompt in one slot behind what is there, and one of another sequence. */
    private static final int[] PLACES = {1, 17, 1, 18, 1, 19, 0, 0, 1, 20};

    @ParameterizedTest
    @CsvSource({
        // headDim, heads, kvHeads, tokens, hadamard, norms
        "  8, 8, 4, 5, false, true",
        "  8, 3, 3, 4, true, false",
        " 32, 6, 2, 5, true, true",
        " 32, 1, 1, 1, false, false",
        " 64, 9, 3, 5, true, false",
        " 64, 4, 4, 3, false, true",
        "128, 8, 1, 5, true, true",
        "128, 8, 2, 2, false, false",
    })
    void whatIsAppendedEqualsTheTwin(int headDim, int heads, int kvHeads, int tokens, boolean hadamard, boolean norms) {
        int width = (heads + 2 * kvHeads) * headDim; // q, k and v are columns of one product
        Random random = new Random(width);
        float[] x = new float[tokens * width];
        MemorySegment rows = MemorySegment.ofArray(new byte[x.length * 2]);
        for (int i = 0; i < x.length; i++) {
            short half = Float.floatToFloat16((float) random.nextGaussian() * (random.nextInt(50) == 0 ? 8 : 1));
            x[i] = Float.float16ToFloat(half);
            rows.setAtIndex(DeviceRun.HALF, i, half);
        }
        edges(x, rows, headDim, width, heads, kvHeads);
        float[] rotations = rotations(headDim);
        float[] factors = new float[2 * headDim]; // of queries, then of keys
        for (int i = 0; i < factors.length; i++) {
            factors[i] = 0.5f + random.nextFloat();
        }
        float[][] weights = {Arrays.copyOf(factors, headDim), Arrays.copyOfRange(factors, headDim, 2 * headDim)};
        for (Schedule schedule : new Schedule[] {Schedule.GREEDY, Schedule.REVERSED}) {
            try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, schedule);
                    KvAppender kernel = new KvAppender(run.device(), headDim);
                    GpuMemory product = run.upload(rows);
                    GpuMemory queryNorm = run.upload(MemorySegment.ofArray(weights[0]));
                    GpuMemory keyNorm = run.upload(MemorySegment.ofArray(weights[1]));
                    GpuMemory angles = run.upload(MemorySegment.ofArray(rotations));
                    GpuMemory places = run.upload(MemorySegment.ofArray(Arrays.copyOf(PLACES, 2 * tokens)));
                    GpuMemory queries = run.device().allocate(4L * tokens * heads * headDim);
                    KvCodeCache cache = new KvCodeCache(run.device(), SLOTS, kvHeads, headDim, CAPACITY)) {
                for (boolean values : new boolean[] {false, true}) {
                    run.stream()
                            .fill(cache.codes(values), 0, cache.codes(values).byteSize(), (byte) 0x5a);
                    run.stream()
                            .fill(cache.steps(values), 0, cache.steps(values).byteSize(), (byte) 0x5a);
                }
                kernel.append(
                        run.stream(),
                        new Rows(product, 0, width),
                        new Rows(product, (long) heads * headDim, width),
                        new Rows(product, (long) (heads + kvHeads) * headDim, width),
                        norms ? new KvAppender.HeadNorms(queryNorm, keyNorm, EPS) : null,
                        angles,
                        hadamard,
                        places,
                        tokens,
                        heads,
                        queries,
                        cache);
                Expected expected = new Expected(
                        x, norms ? weights : null, rotations, headDim, heads, kvHeads, tokens, hadamard, cache);
                assertThat(run.download(queries).toArray(DeviceRun.FLOAT)).isEqualTo(expected.queries);
                for (boolean values : new boolean[] {false, true}) {
                    assertThat(run.download(cache.codes(values)).toArray(ValueLayout.JAVA_BYTE))
                            .isEqualTo(expected.codes[values ? 1 : 0]);
                    assertThat(run.download(cache.steps(values)).toArray(ValueLayout.JAVA_BYTE))
                            .isEqualTo(expected.steps[values ? 1 : 0]);
                }
                checkCounters(run.counters());
            }
        }
    }

    /** Heads that are all 0, all of one sign, and too large or too small for their scale. */
    private static void edges(float[] x, MemorySegment rows, int headDim, int width, int heads, int kvHeads) {
        for (int i = 0; i < headDim; i++) {
            set(x, rows, (heads + kvHeads) * headDim + i, 0); // token 0, value of head 0
            set(x, rows, heads * headDim + i, 65504 * (i % 2 * 2 - 1)); // its key
            if (x.length > 2 * width) {
                set(x, rows, width + (heads + kvHeads) * headDim + i, -1 - i % 3);
                set(x, rows, 2 * width + (heads + kvHeads) * headDim + i, 6e-8f * (i % 2));
            }
        }
    }

    private static void set(float[] x, MemorySegment rows, int i, float value) {
        short half = Float.floatToFloat16(value);
        x[i] = Float.float16ToFloat(half);
        rows.setAtIndex(DeviceRun.HALF, i, half);
    }

    private static float[] rotations(int headDim) {
        float[] rotations = new float[CAPACITY * headDim];
        for (int position = 0; position < CAPACITY; position++) {
            for (int i = 0; i < headDim / 2; i++) {
                float angle = position * (float) Math.pow(10000, -2.0 * i / headDim);
                rotations[position * headDim + i] = (float) Math.cos(angle);
                rotations[position * headDim + headDim / 2 + i] = (float) Math.sin(angle);
            }
        }
        return rotations;
    }

    /** What the twin makes of it, in a cache whose other bytes stay as they were. */
    private static final class Expected {
        final float[] queries;
        final byte[][] codes = new byte[2][];
        final byte[][] steps = new byte[2][];

        Expected(
                float[] x,
                float @Nullable [][] norms,
                float[] rotations,
                int headDim,
                int heads,
                int kvHeads,
                int tokens,
                boolean hadamard,
                KvCodeCache cache) {
            queries = new float[tokens * heads * headDim];
            for (int values = 0; values < 2; values++) {
                codes[values] = new byte[(int) cache.codes(false).byteSize()];
                steps[values] = new byte[(int) cache.steps(false).byteSize()];
                Arrays.fill(codes[values], (byte) 0x5a);
                Arrays.fill(steps[values], (byte) 0x5a);
            }
            ScalarKvAppend twin = new ScalarKvAppend(headDim, hadamard);
            int vectors = heads + 2 * kvHeads;
            for (int token = 0; token < tokens; token++) {
                int position = PLACES[2 * token + 1];
                float[] rotation = Arrays.copyOfRange(rotations, position * headDim, (position + 1) * headDim);
                for (int head = 0; head < vectors; head++) {
                    int first = (token * vectors + head) * headDim;
                    float[] vector = Arrays.copyOfRange(x, first, first + headDim);
                    if (head < heads + kvHeads && norms != null) {
                        twin.normalise(vector, norms[head < heads ? 0 : 1], EPS);
                    }
                    if (head < heads + kvHeads) {
                        twin.rotate(vector, rotation);
                    }
                    if (head < heads) {
                        System.arraycopy(vector, 0, queries, (token * heads + head) * headDim, headDim);
                    } else {
                        byte[] bytes = new byte[headDim / 2 + 4];
                        twin.code(vector, MemorySegment.ofArray(bytes));
                        int values = head < heads + kvHeads ? 0 : 1;
                        int row = (int) cache.row(PLACES[2 * token], (head - heads) % kvHeads, position);
                        System.arraycopy(bytes, 0, codes[values], row * headDim / 2, headDim / 2);
                        System.arraycopy(bytes, headDim / 2, steps[values], row * 4, 4);
                    }
                }
            }
        }
    }

    /** In double: the twin's norm is near x / sqrt(mean of squares + eps) * weight. */
    @ParameterizedTest
    @ValueSource(ints = {8, 32, 64, 128})
    void theTwinsNormIsNearTheTruth(int headDim) {
        Random random = new Random(headDim);
        float[] x = new float[headDim];
        float[] weight = new float[headDim];
        double squares = 0;
        for (int i = 0; i < headDim; i++) {
            x[i] = (float) random.nextGaussian();
            weight[i] = 0.5f + random.nextFloat();
            squares += (double) x[i] * x[i];
        }
        float[] normalised = x.clone();
        new ScalarKvAppend(headDim, false).normalise(normalised, weight, EPS);
        for (int i = 0; i < headDim; i++) {
            double truth = x[i] / Math.sqrt(squares / headDim + EPS) * weight[i];
            assertThat((double) normalised[i]).isCloseTo(truth, offset(1e-6 * Math.abs(truth)));
        }
    }

    private static void checkCounters(LaunchCounters counters) {
        String worst = "the worst lines: " + counters.worst(4);
        assertThat(counters.sharedWavefronts()).isZero();
        assertThat(counters.globalStoreSectors()).as(worst).isEqualTo(counters.idealGlobalStoreSectors());
        assertThat(counters.globalLoadSectors()).as(worst).isEqualTo(counters.idealGlobalLoadSectors());
    }

    @Test
    void argumentsThatDoNotFitAreSentences() {
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, Schedule.ROUND_ROBIN)) {
            assertThatThrownBy(() -> new KvAppender(run.device(), 96))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("heads have 96 components");
            assertThatThrownBy(() -> new KvCodeCache(run.device(), 1, 1, 64, 12))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("12 positions");
            KvAppender kernel = new KvAppender(run.device(), 64);
            KvCodeCache cache = new KvCodeCache(run.device(), 1, 1, 64, 8);
            GpuMemory some = run.device().allocate(2048);
            Rows rows = Rows.of(some, 64);
            assertThatThrownBy(() -> kernel.append(
                            run.stream(), rows, rows, new Rows(some, 0, 128), some, true, some, 2, 1, some, cache))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("64 and 128 elements apart");
            assertThatThrownBy(
                            () -> kernel.append(run.stream(), rows, rows, rows, some, true, some, 17, 1, some, cache))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("queries has 2048 bytes, but 2176 are needed");
        }
    }
}
