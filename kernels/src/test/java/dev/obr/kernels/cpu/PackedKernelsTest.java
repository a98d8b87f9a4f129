package dev.obr.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Integer kernels give the sum of the products of codes, scaled once, to the last bit; the test in C (make test-native) compares more shapes. */
class PackedKernelsTest {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
    private static final ActivationQuantizer QUANTIZER = new ActivationQuantizer(8, 1);
    private static final float STEP = 0.25f;
    private static final int[][] SHAPES = {{1, 1}, {16, 64}, {17, 65}, {50, 300}, {35, 1100}};
    private static final int[] TOKENS = {1, 4, 9, 40};

    /** W [rows, cols] as it was before packing. */
    private record Plain(int rows, int cols, byte[] codes, boolean[] mask, float[] scales) {
        static Plain random(Pattern pattern, int rows, int cols, Random random) {
            Plain plain = new Plain(rows, cols, new byte[rows * cols], new boolean[rows * cols], new float[rows]);
            int unit = pattern.unit();
            for (int r = 0; r < rows; r++) {
                plain.scales[r] = random.nextFloat() - 0.5f;
                for (int c = 0; c < cols; c++) {
                    // two of four units, those of a unit alike: half of every pattern's group
                    int group = c / (4 * unit);
                    int first = (r * 7 + group * 5) % 4;
                    int second = (first + 1 + (r + group) % 3) % 4;
                    int place = c % (4 * unit) / unit;
                    boolean kept = pattern == Pattern.DENSE
                            || (pattern == Pattern.UNSTRUCTURED
                                    ? random.nextInt(100) < r % 101
                                    : place == first || place == second);
                    plain.mask[r * cols + c] = kept;
                    plain.codes[r * cols + c] = (byte) (kept ? random.nextInt(16) - 8 : 0);
                }
            }
            return plain;
        }

        PackedMatrix packed(Pattern pattern) {
            return Packing.pack(pattern, 4, rows, cols, codes, mask, scales);
        }

        float product(int row, byte[] x, float inputScale) {
            long sum = 0;
            for (int c = 0; c < cols; c++) {
                sum += (long) codes[row * cols + c] * x[c];
            }
            return sum * (inputScale * scales[row]);
        }
    }

    @ParameterizedTest
    @EnumSource(Pattern.class)
    void theSpecificationMultipliesCodes(Pattern pattern) {
        multiplyCodes(new ScalarPackedKernels(), pattern);
    }

    /** Each instruction set that this machine has, as the fastest under its cap. */
    @ParameterizedTest
    @MethodSource("sets")
    void nativeKernelsEqualIt(PackedBinding.InstructionSet set, Pattern pattern) {
        PackedKernels kernels = Twins.integers(set.facts().level());
        Assumptions.assumeTrue(
                kernels.instructionSet().equals(set.description()),
                () -> set.description() + " cannot be used here, " + kernels.instructionSet() + " can");
        multiplyCodes(kernels, pattern);
    }

    static Stream<Arguments> sets() {
        return Stream.of(PackedBinding.InstructionSet.values())
                .flatMap(set -> Stream.of(Pattern.values()).map(pattern -> Arguments.of(set, pattern)));
    }

    private static void multiplyCodes(PackedKernels kernels, Pattern pattern) {
        Random random = new Random(5);
        for (int[] shape : SHAPES) {
            Plain plain = Plain.random(pattern, shape[0], shape[1], random);
            for (int tokens : TOKENS) {
                byte[][] x = new byte[tokens][plain.cols];
                for (byte[] token : x) {
                    random.nextBytes(token);
                }
                float[] y = product(kernels, plain.packed(pattern), x);
                for (int t = 0; t < tokens; t++) {
                    for (int r = 0; r < plain.rows; r++) {
                        float expected = plain.product(r, x[t], 1f / (t + 3));
                        if (y[t * plain.rows + r] != expected) {
                            assertThat(y[t * plain.rows + r])
                                    .as("%s [%d, %d], row %d, token %d", pattern, plain.rows, plain.cols, r, t)
                                    .isEqualTo(expected);
                        }
                    }
                }
            }
        }
    }

    /** Laid out and multiplied in two ranges, the later first. */
    private static float[] product(PackedKernels kernels, PackedMatrix weight, byte[][] x) {
        try (Arena arena = Arena.ofConfined()) {
            int rows = weight.rows();
            int middle = rows / 2 / PackedKernels.GRAIN * PackedKernels.GRAIN;
            PackedLayout layout = kernels.allocate(weight, arena);
            kernels.layOut(layout, middle, rows);
            kernels.layOut(layout, 0, middle);
            long bytes = kernels.inputBytes(weight.pattern(), weight.cols());
            MemorySegment inputs = arena.allocate(x.length * bytes, 64);
            MemorySegment scales = arena.allocate(FLOAT, x.length);
            MemorySegment y = arena.allocate(FLOAT, (long) x.length * rows);
            for (int t = 0; t < x.length; t++) {
                float[] floats = new float[x[t].length];
                for (int c = 0; c < floats.length; c++) {
                    floats[c] = x[t][c] * STEP;
                }
                kernels.code(
                        weight.pattern(),
                        floats.length,
                        MemorySegment.ofArray(floats),
                        STEP,
                        QUANTIZER,
                        inputs.asSlice(t * bytes, bytes));
                scales.setAtIndex(FLOAT, t, 1f / (t + 3));
            }
            kernels.matmul(layout, middle, rows, inputs, scales, x.length, y);
            kernels.matmul(layout, 0, middle, inputs, scales, x.length, y);
            return y.toArray(FLOAT);
        }
    }

    @Test
    void refusesBuffersThatAreTooShortAndCutPanels() {
        PackedKernels kernels = Twins.integers(CpuCap.NONE);
        PackedMatrix weight =
                Plain.random(Pattern.PAIRS_4_OF_8, 40, 64, new Random(1)).packed(Pattern.PAIRS_4_OF_8);
        try (Arena arena = Arena.ofConfined()) {
            PackedLayout layout = kernels.allocate(weight, arena);
            kernels.layOut(layout, 0, 40);
            MemorySegment inputs = arena.allocate(kernels.inputBytes(weight.pattern(), 64), 64);
            MemorySegment scales = arena.allocate(FLOAT, 1);
            MemorySegment y = arena.allocate(FLOAT, 40);
            assertThatThrownBy(() -> kernels.matmul(layout, 0, 40, inputs, scales, 2, y))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> kernels.matmul(layout, 0, 41, inputs, scales, 1, y))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> kernels.matmul(layout, 8, 40, inputs, scales, 1, y))
                    .hasMessageContaining("no whole panels");
            assertThatThrownBy(() -> kernels.code(
                            weight.pattern(), 65, MemorySegment.ofArray(new float[65]), 1, QUANTIZER, inputs))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void theSelfTestFindsAWrongKernel() {
        assertThat(PackedSelfTest.firstDifference(new ScalarPackedKernels())).isEmpty();
        Optional<String> difference = PackedSelfTest.firstDifference(new Forgetful());
        assertThat(difference)
                .hasValueSatisfying(sentence -> assertThat(sentence).contains("of 3 tokens"));
    }

    /** Right but for the second token. */
    private static final class Forgetful implements PackedKernels {
        private final PackedKernels right = new ScalarPackedKernels();

        @Override
        public String instructionSet() {
            return "none";
        }

        @Override
        public PackedLayout allocate(PackedMatrix weight, SegmentAllocator memory) {
            return right.allocate(weight, memory);
        }

        @Override
        public void layOut(PackedLayout layout, int from, int to) {
            right.layOut(layout, from, to);
        }

        @Override
        public long inputBytes(Pattern pattern, int cols) {
            return right.inputBytes(pattern, cols);
        }

        @Override
        public void code(
                Pattern pattern,
                int cols,
                MemorySegment x,
                float scale,
                ActivationQuantizer quantizer,
                MemorySegment input) {
            right.code(pattern, cols, x, scale, quantizer, input);
        }

        @Override
        public void matmul(
                PackedLayout w,
                int from,
                int to,
                MemorySegment inputs,
                MemorySegment inputScales,
                int tokens,
                MemorySegment y) {
            right.matmul(w, from, to, inputs, inputScales, 1, y);
        }
    }
}
