package dev.obr.kernels.gpu.linear;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The GPU's quantiser finds the scales and codes of {@link ActivationQuantizer}: always without a search, and with one unless two clips lose as much as each other. */
class ScalarNormQuantizerTest {
    /** Of a token's squared error: what sums of 32768 floats, taken in another order, may differ by. */
    private static final double TIE = 1e-5;

    @ParameterizedTest
    @CsvSource({
        "4, 0, INT4",
        "4, 0, INT8",
        "4, 1, INT4",
        "4, 0.8, INT4",
        "4, 0.65, INT8",
        "4, 0.5, INT4",
        "8, 0, INT8",
        "8, 1, INT8"
    })
    void codesAreThoseOfTheActivationQuantizer(int bits, float clip, TokenLayout layout) {
        ActivationQuantizer quantizer = new ActivationQuantizer(bits, clip);
        Random random = new Random(7);
        int ties = 0;
        for (int columns : new int[] {8, 128, 136, 576, 4096, 8192, 8200, 11008, 32768}) {
            for (int token = 0; token < 20; token++) {
                float[] x = token(columns, random);
                float[] h = x.clone();
                MemorySegment codes = MemorySegment.ofArray(new byte[layout.rowBytes(columns)]);
                float scale = new ScalarNormQuantizer(quantizer, layout).quantize(h, null, 0, null, codes, 0);
                float expected = quantizer.scale(x, 0, columns);
                if (scale != expected) {
                    assertThat(error(x, scale)).isCloseTo(error(x, expected), offset(TIE * error(x, expected)));
                    ties++;
                }
                for (int c = 0; c < columns; c++) {
                    assertThat(layout.get(codes, 0, c)).isEqualTo((int) quantizer.code(x[c], scale));
                }
            }
        }
        assertThat(ties)
                .as("tokens of 180 with two clips that lose as much")
                .isLessThanOrEqualTo(bits == 4 && clip == 0 ? 2 : 0);
    }

    /** Beside the norm of the CPU kernels, in double. */
    @ParameterizedTest
    @CsvSource({"8", "576", "4096", "11008"})
    void whatIsCodedIsTheNorm(int columns) {
        Random random = new Random(columns);
        float[] x = token(columns, random);
        float[] weight = new float[columns];
        double squares = 0;
        for (int c = 0; c < columns; c++) {
            weight[c] = random.nextFloat() + 0.5f;
            squares += (double) x[c] * x[c];
        }
        float[] h = x.clone();
        new ScalarNormQuantizer(new ActivationQuantizer(8, 1), TokenLayout.INT8)
                .quantize(
                        h, weight, 1e-5f, null, MemorySegment.ofArray(new byte[TokenLayout.INT8.rowBytes(columns)]), 0);
        for (int c = 0; c < columns; c++) {
            double expected = x[c] / Math.sqrt(squares / columns + 1e-5f) * weight[c];
            assertThat((double) h[c]).isCloseTo(expected, offset(2e-6 * Math.abs(expected) + 1e-12));
        }
    }

    /** x'[j] = x[order[j]], as {@link ColumnOrder#gather} has it: the codes of x, and x's own scale. */
    @Test
    void codesStandInTheOrderOfTheColumns() {
        float[] x = token(200, new Random(1));
        ColumnOrder order = ColumnOrder.of(SparseOperands.shuffled(200, new Random(2)));
        ScalarNormQuantizer quantizer = new ScalarNormQuantizer(new ActivationQuantizer(4, 0), TokenLayout.INT4);
        MemorySegment codes = MemorySegment.ofArray(new byte[2 * TokenLayout.INT4.rowBytes(200)]);
        long second = TokenLayout.INT4.rowBytes(200);
        float scale = quantizer.quantize(x.clone(), null, 0, null, codes, 0);
        assertThat(quantizer.quantize(x.clone(), null, 0, order, codes, second)).isEqualTo(scale);
        float[] natural = new float[200];
        float[] expected = new float[200];
        float[] found = new float[200];
        for (int c = 0; c < 200; c++) {
            natural[c] = TokenLayout.INT4.get(codes, 0, c);
            found[c] = TokenLayout.INT4.get(codes, second, c);
        }
        order.gather(natural, expected);
        assertThat(found).isEqualTo(expected);
    }

    @Test
    void zerosHaveScale1() {
        assertThat(new ScalarNormQuantizer(new ActivationQuantizer(4, 0), TokenLayout.INT4)
                        .quantize(new float[128], null, 0, null, MemorySegment.ofArray(new byte[64]), 0))
                .isEqualTo(1);
    }

    @Test
    void noNumberMakesTheScaleNoNumber() {
        float[] x = new float[128];
        x[77] = Float.NaN;
        assertThat(new ScalarNormQuantizer(new ActivationQuantizer(4, 0), TokenLayout.INT4)
                        .quantize(x, null, 0, null, MemorySegment.ofArray(new byte[64]), 0))
                .isNaN();
    }

    @ParameterizedTest
    @CsvSource({"INT4, -8, 7", "INT8, -128, 127"})
    void aRowHoldsEveryCodeOnce(TokenLayout layout, int least, int most) {
        Random random = new Random(3);
        int columns = 300;
        MemorySegment rows = MemorySegment.ofArray(new byte[2 * layout.rowBytes(columns)]);
        int[] codes = random.ints(columns, least, most + 1).toArray();
        for (int c = 0; c < columns; c++) {
            layout.put(rows, layout.rowBytes(columns), c, codes[c]);
        }
        int[] read = new int[columns];
        Arrays.setAll(read, c -> layout.get(rows, layout.rowBytes(columns), c));
        assertThat(read).isEqualTo(codes);
    }

    /** Byte p of plane h is column 2 p + h as the tensor core counts them, whose chunks of 8 are a 4 x 4 transpose of the token's. */
    @Test
    void bytesLieInTwoPlanesInTheInstructionsOrder() {
        MemorySegment row = MemorySegment.ofArray(new byte[256]);
        for (int c = 0; c < 256; c++) {
            TokenLayout.INT8.put(row, 0, c, c - 128);
        }
        for (int step = 0; step < 2; step++) {
            for (int plane = 0; plane < 2; plane++) {
                for (int p = 0; p < 64; p++) {
                    int c = 2 * p + plane;
                    int column = 128 * step + 8 * (4 * ((c >> 3) % 4) + (c >> 3) / 4) + (c & 7);
                    assertThat(row.get(ValueLayout.JAVA_BYTE, 128 * step + 64 * plane + p))
                            .isEqualTo((byte) (column - 128));
                }
            }
        }
    }

    /** Activations with a few large ones. */
    private static float[] token(int columns, Random random) {
        float[] x = new float[columns];
        double outliers = random.nextDouble() < 0.3 ? 0 : 0.02;
        for (int c = 0; c < columns; c++) {
            x[c] = (float) (random.nextGaussian() * (random.nextDouble() < outliers ? 8 : 1));
        }
        return x;
    }

    /** Σ (x - scale · code)², in double. */
    private static double error(float[] x, float scale) {
        double error = 0;
        for (float v : x) {
            double lost = v - (double) scale * new ActivationQuantizer(4, 1).code(v, scale);
            error += lost * lost;
        }
        return error;
    }
}
