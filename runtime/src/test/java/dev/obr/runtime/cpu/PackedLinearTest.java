package dev.obr.runtime.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import dev.obr.kernels.quantize.ActivationQuantizer;
import dev.obr.runtime.transformer.Linear;
import dev.obr.runtime.transformer.Precision;
import dev.obr.runtime.transformer.Precision.KvScheme;
import dev.obr.runtime.transformer.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Packed linear layers multiply integers: their outputs are those of a long, scaled once, to the last bit. */
class PackedLinearTest {
    /** One weight and its parts. */
    private record Codes(int rows, int cols, byte[] codes, boolean[] mask, float[] scales) {
        /** Random codes on a random mask that suits every pattern: half of each group, in pairs. */
        static Codes random(int rows, int cols, int bits, Pattern pattern, Random random) {
            Codes made = new Codes(rows, cols, new byte[rows * cols], new boolean[rows * cols], new float[rows]);
            int limit = 1 << bits - 1;
            for (int r = 0; r < rows; r++) {
                made.scales[r] = (random.nextFloat() - 0.3f) / 50; // of either sign
                for (int c = 0; c < cols; c++) {
                    boolean kept = pattern == Pattern.DENSE || (c / 2 + r) % 2 == 0 && pattern != Pattern.TWO_OF_FOUR;
                    made.mask[r * cols + c] = kept || pattern == Pattern.TWO_OF_FOUR && (c + r) % 2 == 0;
                    made.codes[r * cols + c] = made.mask[r * cols + c] ? (byte) (random.nextInt(2 * limit) - limit) : 0;
                }
            }
            return made;
        }

        /** The same weight with its columns where the order takes them from: what it multiplies without an order. */
        Codes restored(ColumnOrder order) {
            Codes restored = new Codes(rows, cols, new byte[rows * cols], new boolean[rows * cols], scales);
            for (int r = 0; r < rows; r++) {
                for (int c = 0; c < cols; c++) {
                    restored.codes[r * cols + order.column(c)] = codes[r * cols + c];
                    restored.mask[r * cols + order.column(c)] = mask[r * cols + c];
                }
            }
            return restored;
        }

        /** Σ codes · x of one row. */
        long product(int row, float[] x) {
            long sum = 0;
            for (int c = 0; c < cols; c++) {
                sum += (long) codes[row * cols + c] * (long) x[c];
            }
            return sum;
        }
    }

    static Stream<String> kernels() {
        return Stream.of("scalar", "vector", "native");
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void outputsAreScaledIntegers(String name) {
        CpuKernels kernels = kernels(name);
        Random random = new Random(11);
        for (Pattern pattern : Pattern.values()) {
            for (int weightBits : new int[] {4, 8}) {
                Codes codes = Codes.random(37, 172, weightBits, pattern, random);
                for (ActivationQuantizer quantizer : List.of(
                        new ActivationQuantizer(4, ActivationQuantizer.SEARCH),
                        new ActivationQuantizer(4, 0.9f),
                        new ActivationQuantizer(8, 1))) {
                    for (int tokens : new int[] {1, 5, 70}) {
                        isExact(kernels, pattern, weightBits, codes, quantizer, random(tokens, 172, random));
                    }
                }
            }
        }
    }

    /** Reordered columns of a reordered input: the sums of the weight in the input's own order, whatever pattern that would be. */
    @ParameterizedTest
    @MethodSource("kernels")
    void anOrderOfTheInputChangesNoSum(String name) {
        CpuKernels kernels = kernels(name);
        Random random = new Random(13);
        for (Pattern pattern : Pattern.values()) {
            Codes codes = Codes.random(37, 172, 4, pattern, random);
            ColumnOrder order =
                    ColumnOrder.of(random.ints(0, 172).distinct().limit(172).toArray());
            Codes restored = codes.restored(order);
            for (int tokens : new int[] {1, 5, 70}) {
                float[][] x = random(tokens, 172, random);
                for (ActivationQuantizer quantizer : List.of(
                        new ActivationQuantizer(4, ActivationQuantizer.SEARCH), new ActivationQuantizer(8, 1))) {
                    Precision precision = new Precision(quantizer, false, KvScheme.HEAD);
                    assertThat(run(kernels, pattern, 4, codes, order, precision, x))
                            .as("%s, %d tokens, %d bits", pattern, tokens, quantizer.bits())
                            .isDeepEqualTo(run(kernels, Pattern.UNSTRUCTURED, 4, restored, null, precision, x));
                }
                for (boolean simulated : new boolean[] {false, true}) {
                    Precision floats = new Precision(null, simulated, KvScheme.HEAD);
                    float[][] y = run(kernels, pattern, 4, codes, order, floats, x);
                    float[][] expected = run(kernels, Pattern.UNSTRUCTURED, 4, restored, null, floats, x);
                    for (int t = 0; t < tokens; t++) {
                        assertThat(y[t]).containsExactly(expected[t], within(1e-4f * largest(expected[t])));
                    }
                }
            }
        }
    }

    private static float largest(float[] values) {
        float largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    /** Layers of other patterns and bits side by side, none of a whole number of panels: each gives what it gives alone, however rows are handed out. */
    @ParameterizedTest
    @MethodSource("kernels")
    void layersThatShareAnInputDoNotDisturbEachOther(String name) {
        CpuKernels kernels = kernels(name);
        Random random = new Random(17);
        List<Pattern> patterns =
                List.of(Pattern.PAIRS_4_OF_8, Pattern.DENSE, Pattern.TWO_OF_FOUR, Pattern.PAIRS_4_OF_8);
        int[] bits = {4, 8, 4, 4};
        int[] rows = {37, 5, 70, 3};
        Precision precision = new Precision(new ActivationQuantizer(8, 1), false, KvScheme.HEAD);
        for (int tokens : new int[] {1, 40}) {
            float[][] x = random(tokens, 100, random);
            try (CpuBackend backend = new CpuBackend(kernels, "", 2, precision);
                    Arena arena = Arena.ofConfined()) {
                List<Linear> layers = new ArrayList<>();
                List<Tensor> outputs = new ArrayList<>();
                List<float[][]> expected = new ArrayList<>();
                for (int i = 0; i < rows.length; i++) {
                    Codes codes = Codes.random(rows[i], 100, bits[i], patterns.get(i), random);
                    layers.add(layer(backend, patterns.get(i), bits[i], codes, arena));
                    outputs.add(backend.tensor(tokens, rows[i]));
                    expected.add(run(kernels, patterns.get(i), bits[i], codes, null, precision, x));
                }
                backend.linear(input(backend, x, arena), null, layers, outputs);
                for (int i = 0; i < rows.length; i++) {
                    assertThat(rows(backend, outputs.get(i)))
                            .as("layer %d, %d tokens", i, tokens)
                            .isDeepEqualTo(expected.get(i));
                }
            }
        }
    }

    /** The widest layer for which float32 counts exactly: its sums come close to 2^24. */
    @ParameterizedTest
    @MethodSource("kernels")
    void theWidestLayerIsExact(String name) {
        int cols = 16_384;
        Codes codes = new Codes(2, cols, new byte[2 * cols], new boolean[2 * cols], new float[] {0.5f, 3});
        Arrays.fill(codes.codes, (byte) -8);
        codes.codes[cols - 1] = -7; // an odd sum, which is lost first
        float[][] x = new float[1][cols];
        Arrays.fill(x[0], -1);
        isExact(kernels(name), Pattern.DENSE, 4, codes, new ActivationQuantizer(8, 1), x);
    }

    /** 16-bit activations: codes times floats. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void floatsAreNotRounded(boolean simulated) {
        Random random = new Random(12);
        Codes codes = Codes.random(24, 96, 4, Pattern.FOUR_OF_EIGHT, random);
        float[][] x = random(3, 96, random);
        float[][] y = run(
                kernels("scalar"),
                Pattern.FOUR_OF_EIGHT,
                4,
                codes,
                null,
                new Precision(null, simulated, KvScheme.HEAD),
                x);
        for (int t = 0; t < x.length; t++) {
            for (int r = 0; r < codes.rows; r++) {
                double sum = bias(r);
                double size = Math.abs(bias(r));
                for (int c = 0; c < codes.cols; c++) {
                    double product = (double) codes.scales[r] * codes.codes[r * codes.cols + c] * x[t][c];
                    sum += product;
                    size += Math.abs(product);
                }
                assertThat(Math.abs(y[t][r] - sum)).isLessThan(2e-6 * size);
            }
        }
    }

    private static void isExact(
            CpuKernels kernels,
            Pattern pattern,
            int weightBits,
            Codes codes,
            ActivationQuantizer quantizer,
            float[][] x) {
        float[][] y = run(kernels, pattern, weightBits, codes, null, new Precision(quantizer, false, KvScheme.HEAD), x);
        for (int t = 0; t < x.length; t++) {
            float[] token = x[t].clone();
            float step = quantizer.quantize(token, 0, token.length);
            for (int r = 0; r < codes.rows; r++) {
                float expected = codes.product(r, token) * (step * codes.scales[r]) + bias(r);
                assertThat(y[t][r])
                        .as(
                                "%s, %d x %d bits, token %d of %d, row %d",
                                pattern, weightBits, quantizer.bits(), t, x.length, r)
                        .isEqualTo(expected);
            }
        }
    }

    private static float[][] run(
            CpuKernels kernels,
            Pattern pattern,
            int bits,
            Codes codes,
            @Nullable ColumnOrder order,
            Precision precision,
            float[][] x) {
        try (CpuBackend backend = new CpuBackend(kernels, "", 2, precision);
                Arena arena = Arena.ofConfined()) {
            Linear layer = layer(backend, pattern, bits, codes, arena);
            Tensor input = input(backend, x, arena);
            Tensor output = backend.tensor(x.length, codes.rows);
            backend.linear(input, order == null ? null : backend.load(order), List.of(layer), List.of(output));
            return rows(backend, output);
        }
    }

    private static Linear layer(CpuBackend backend, Pattern pattern, int bits, Codes codes, Arena arena) {
        MemorySegment biases = arena.allocate(4L * codes.rows, 64);
        for (int r = 0; r < codes.rows; r++) {
            biases.setAtIndex(ValueLayout.JAVA_FLOAT, r, bias(r));
        }
        return new Linear(
                backend.load(
                        Packing.pack(pattern, bits, codes.rows, codes.cols, codes.codes, codes.mask, codes.scales)),
                backend.vector(new WeightMatrix(DType.F32, 1, codes.rows, biases)));
    }

    private static Tensor input(CpuBackend backend, float[][] x, Arena arena) {
        int cols = x[0].length;
        Tensor input = backend.tensor(x.length, cols);
        MemorySegment values = arena.allocate(4L * x.length * cols, 64);
        for (int t = 0; t < x.length; t++) {
            MemorySegment.copy(x[t], 0, values, ValueLayout.JAVA_FLOAT, 4L * t * cols, cols);
        }
        backend.write(values, input);
        return input;
    }

    private static float[][] rows(CpuBackend backend, Tensor tensor) {
        float[][] rows = new float[tensor.rows()][tensor.cols()];
        for (int t = 0; t < rows.length; t++) {
            backend.read(tensor, t, rows[t]);
        }
        return rows;
    }

    private static float bias(int row) {
        return row % 3 - 1;
    }

    private static float[][] random(int tokens, int cols, Random random) {
        float[][] x = new float[tokens][cols];
        for (float[] token : x) {
            double magnitude = Math.scalb(1.0, random.nextInt(9) - 4);
            for (int c = 0; c < cols; c++) {
                token[c] = (float) (magnitude * random.nextGaussian() * (random.nextInt(20) == 0 ? 8 : 1));
            }
        }
        return x;
    }

    private static CpuKernels kernels(String name) {
        CpuKernelsProvider.Choice best = CpuKernelsProvider.choose("auto", System.getenv());
        Assumptions.assumeTrue(!name.equals("native") || best.kernels().name().equals("native"), best.reason());
        return CpuKernelsProvider.choose(name, System.getenv()).kernels();
    }
}
