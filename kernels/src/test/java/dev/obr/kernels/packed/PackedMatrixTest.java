package dev.obr.kernels.packed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class PackedMatrixTest {
    @Property(tries = 400, seed = "20260101")
    void whatIsPackedComesBack(
            @ForAll Pattern pattern,
            @ForAll boolean wide,
            @ForAll @IntRange(max = 9) int rows,
            @ForAll @IntRange(min = 1, max = 300) int cols,
            @ForAll @DoubleRange(max = 1) double density,
            @ForAll @IntRange(max = 1 << 20) int seed) {
        Sparse sparse = Sparse.random(pattern, wide ? 8 : 4, rows, cols, density, new Random(seed));
        PackedMatrix packed = sparse.pack().check("random");
        byte[] codes = new byte[rows * cols];
        float[] numbers = new float[rows * cols];
        for (int row = 0; row < rows; row++) {
            packed.unpackRow(row, codes, row * cols);
            packed.dequantizeRow(row, numbers, row * cols);
            assertThat(packed.scale(row)).isEqualTo(sparse.scales()[row]);
        }
        assertThat(codes).isEqualTo(sparse.codes());
        for (int i = 0; i < numbers.length; i++) {
            assertThat(numbers[i]).isEqualTo(sparse.scales()[i / cols] * sparse.codes()[i]);
        }
    }

    /** docs/format.md shows these bytes. */
    @Test
    void theLayoutIsAsDocumented() {
        byte[] codes = {0, 3, -2, 0, 0, 0, 7, -8};
        boolean[] mask = {false, true, true, false, false, false, true, true};
        assertThat(layout(Pattern.TWO_OF_FOUR, codes, mask)).isEqualTo("codes e387 index e9 scales 0000003f");
        assertThat(layout(Pattern.FOUR_OF_EIGHT, codes, mask)).isEqualTo("codes e387 index c6 scales 0000003f");
        assertThat(layout(Pattern.UNSTRUCTURED, codes, mask)).isEqualTo("codes e387 index c6 scales 0000003f");
        assertThat(layout(Pattern.DENSE, codes, mask)).isEqualTo("codes 300e0087 index  scales 0000003f");
        byte[] pairs = {0, 0, -2, 3, 0, 0, 7, -8};
        boolean[] pairMask = {false, false, true, true, false, false, true, true};
        assertThat(layout(Pattern.PAIRS_4_OF_8, pairs, pairMask)).isEqualTo("codes 3e87 index 0d scales 0000003f");
    }

    private static String layout(Pattern pattern, byte[] codes, boolean[] mask) {
        PackedMatrix packed = Packing.pack(pattern, 4, 1, 8, codes, mask, new float[] {0.5f});
        return "codes " + hex(packed.codes()) + " index " + hex(packed.index()) + " scales " + hex(packed.scales());
    }

    private static String hex(MemorySegment memory) {
        return HexFormat.of().formatHex(memory.toArray(ValueLayout.JAVA_BYTE));
    }

    @ParameterizedTest
    @CsvSource({"4:8p, 2.51", "2:4, 3.01", "4:8, 3.01", "32:64, 3.01", "unstructured, 3.01", "dense, 4.01"})
    void takesAsManyBitsAsPromised(String label, double limit) {
        Pattern pattern = Pattern.parse(label);
        int n = 4096;
        boolean[] mask = new boolean[n * n];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = i % 4 < 2;
        }
        PackedMatrix packed = Packing.pack(pattern, 4, n, n, new byte[n * n], mask, new float[n]);
        assertThat(packed.bitsPerWeight()).isLessThanOrEqualTo(limit);
    }

    @Test
    void refusesWhatItCannotHold() {
        boolean[] all = {true, true, true, true};
        byte[] zeros = new byte[4];
        float[] one = {1};
        assertThatThrownBy(() -> Packing.pack(Pattern.TWO_OF_FOUR, 4, 1, 4, zeros, all, one))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("row 0 keeps more in columns 0 to 3 than the pattern 2:4 allows");
        assertThatThrownBy(() -> Packing.pack(Pattern.DENSE, 4, 1, 4, new byte[] {8, 0, 0, 0}, all, one))
                .hasMessage("row 0, column 0 has the code 8, too large for 4 bits");
        assertThatThrownBy(
                        () -> Packing.pack(Pattern.UNSTRUCTURED, 4, 1, 4, new byte[] {1, 0, 0, 0}, new boolean[4], one))
                .hasMessage("row 0, column 0 is pruned but has the code 1");
        assertThatThrownBy(() -> Packing.pack(Pattern.DENSE, 4, 1, 4, zeros, all, new float[] {Float.NaN}))
                .hasMessage("the scale of row 0 is NaN");
        assertThatThrownBy(() -> Packing.pack(Pattern.DENSE, 3, 1, 4, zeros, all, one))
                .hasMessageContaining("4 or 8 bits, not 3");
    }

    /** Any damage to the index or the scales is found, or does no more than move zeros and codes about. */
    @ParameterizedTest
    @EnumSource(Pattern.class)
    void damagedBytesAreRefusedOrHarmless(Pattern pattern) {
        Random random = new Random(5);
        PackedMatrix whole = Sparse.random(pattern, 4, 3, 131, 0.5, random).pack();
        for (int i = 0; i < 2000; i++) {
            byte[] index = whole.index().toArray(ValueLayout.JAVA_BYTE);
            byte[] scales = whole.scales().toArray(ValueLayout.JAVA_BYTE);
            byte[] damaged = index.length > 0 && random.nextBoolean() ? index : scales;
            damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
            try {
                PackedMatrix read = new PackedMatrix(
                                pattern,
                                4,
                                3,
                                131,
                                whole.codes(),
                                MemorySegment.ofArray(index),
                                MemorySegment.ofArray(scales))
                        .check("damaged");
                float[] row = new float[131];
                for (int r = 0; r < 3; r++) {
                    read.dequantizeRow(r, row, 0);
                }
            } catch (ObrException | IllegalArgumentException refused) {
                assertThat(refused).hasMessageMatching("damaged: the .* of row .*|a matrix .* bytes of codes, not .*");
            }
        }
    }

    @Test
    void sizesMustFit() {
        PackedMatrix whole = Sparse.random(Pattern.UNSTRUCTURED, 4, 3, 20, 0.5, new Random(1))
                .pack();
        for (long cut : new long[] {1, 2}) {
            MemorySegment codes = whole.codes().asSlice(0, whole.codes().byteSize() - cut);
            assertThatThrownBy(() ->
                            new PackedMatrix(Pattern.UNSTRUCTURED, 4, 3, 20, codes, whole.index(), whole.scales()))
                    .hasMessageStartingWith("a matrix [3, 20] with 4-bit codes on the pattern unstructured has ")
                    .hasMessageContaining("bytes of codes, not ");
        }
        assertThatThrownBy(() -> new PackedMatrix(
                        Pattern.UNSTRUCTURED, 4, 3, 21 + 4, whole.codes(), whole.index(), whole.scales()))
                .hasMessageContaining("of index");
        assertThatThrownBy(() ->
                        new PackedMatrix(Pattern.UNSTRUCTURED, 4, 4, 20, whole.codes(), whole.index(), whole.scales()))
                .hasMessageContaining("of scales");
    }
}
