package dev.obr.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Products of 16-bit floats, against matrices multiplied in double precision: the values are such that every sum is exact. */
class TensorCoresFloatTest {
    /** Where the manual puts element i of A of the 16x16 shape: its first four elements are those of the 16x8 one. */
    private static int rowOfA(int lane, int i) {
        return lane / 4 + (i < 2 || (i >= 4 && i < 6) ? 0 : 8);
    }

    private static int columnOfA(int lane, int i) {
        return lane % 4 * 2 + (i & 1) + (i < 4 ? 0 : 8);
    }

    private static int rowOfB(int lane, int i) {
        return lane % 4 * 2 + (i & 1) + (i < 2 ? 0 : 8);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "m16n8k16.row.col.f32.f16.f16.f32",
                "m16n8k8.row.col.f32.f16.f16.f32",
                "m16n8k16.row.col.f16.f16.f16.f16",
                "m16n8k8.row.col.f16.f16.f16.f16",
                "m16n8k16.row.col.f32.bf16.bf16.f32",
                "m16n8k8.row.col.f32.bf16.bf16.f32"
            })
    void multipliesMatrices(String form) {
        MmaShape shape = MmaShape.of("mma.sync.aligned." + form);
        Random random = new Random(form.hashCode());
        int k = shape.k();
        double[][] a = new double[16][k];
        double[][] b = new double[k][8];
        double[][] c = new double[16][8];
        int[] registersA = new int[32 * shape.aRegisters()];
        int[] registersB = new int[32 * shape.bRegisters()];
        int[] registersC = new int[32 * shape.cRegisters()];
        boolean bfloat = form.contains("bf16");
        for (int lane = 0; lane < 32; lane++) {
            for (int i = 0; i < 2 * shape.aRegisters(); i++) {
                double value = random.nextInt(-16, 17) / 8.0;
                a[rowOfA(lane, i)][columnOfA(lane, i)] = value;
                registersA[32 * (i / 2) + lane] |= narrow(value, bfloat) << 16 * (i & 1);
            }
            for (int i = 0; i < 2 * shape.bRegisters(); i++) {
                double value = random.nextInt(-8, 9) / 4.0;
                b[rowOfB(lane, i)][lane / 4] = value;
                registersB[32 * (i / 2) + lane] |= narrow(value, bfloat) << 16 * (i & 1);
            }
            for (int i = 0; i < 4; i++) {
                double value = random.nextInt(-32, 33) / 16.0;
                c[lane / 4 + 8 * (i / 2)][lane % 4 * 2 + (i & 1)] = value;
                if (form.endsWith("f32")) {
                    registersC[32 * i + lane] = Float.floatToRawIntBits((float) value);
                } else {
                    registersC[32 * (i / 2) + lane] |= narrow(value, false) << 16 * (i & 1);
                }
            }
        }
        int[] d = new Fragments(registersA, registersB, registersC, new int[0]).times(shape, 0);
        for (int lane = 0; lane < 32; lane++) {
            for (int i = 0; i < 4; i++) {
                int row = lane / 4 + 8 * (i / 2);
                int column = lane % 4 * 2 + (i & 1);
                double sum = c[row][column];
                for (int j = 0; j < k; j++) {
                    sum += a[row][j] * b[j][column];
                }
                float found = form.endsWith("f32")
                        ? Float.intBitsToFloat(d[32 * i + lane])
                        : Float.float16ToFloat((short) (d[32 * (i / 2) + lane] >> 16 * (i & 1)));
                assertThat((double) found).isEqualTo(sum);
            }
        }
    }

    private static int narrow(double value, boolean bfloat) {
        return bfloat ? Float.floatToRawIntBits((float) value) >>> 16 : Float.floatToFloat16((float) value) & 0xffff;
    }

    /** One rounding, at the end: a sum that loses its small parts in f32 keeps them. */
    @Test
    void roundsOnce() {
        MmaShape shape = MmaShape.of("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32");
        int[] a = new int[128];
        int[] b = new int[64];
        int[] c = new int[128];
        a[0] = narrow(0x1p-12, false) | narrow(0x1p-12, false) << 16; // row 0, columns 0 and 1
        b[0] = narrow(0x1p-12, false) | narrow(0x1p-12, false) << 16; // column 0
        c[0] = Float.floatToRawIntBits(1 + 0x1p-23f); // each product is half an ulp and less
        int[] d = new Fragments(a, b, c, new int[0]).times(shape, 0);
        assertThat(Float.intBitsToFloat(d[0])).isEqualTo(1 + 0x1p-23f + 0x1p-23f);
    }

    @Test
    void carriesInfinitiesAndNaN() {
        MmaShape shape = MmaShape.of("mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16");
        int[] a = new int[64];
        int[] b = new int[32];
        int[] c = new int[64];
        a[0] = 0x7c00; // row 0, column 0: infinity
        b[0] = 0x3c00; // row 0, column 0: one; column 1 has zero
        a[4] = 0x7bff; // row 1: the largest, doubled by the addend
        c[4] = 0x7bff;
        int[] d = new Fragments(a, b, c, new int[0]).times(shape, 0);
        assertThat(d[0] & 0xffff).isEqualTo(0x7c00);
        assertThat(Float.float16ToFloat((short) (d[0] >> 16))).isNaN();
        assertThat(d[4] & 0xffff).isEqualTo(0x7c00);
        assertThat(d[8]).isZero();
    }
}
