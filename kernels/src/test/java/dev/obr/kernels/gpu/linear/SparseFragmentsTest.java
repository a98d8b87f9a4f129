package dev.obr.kernels.gpu.linear;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.check.SparseOperands;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Codes come back from fragments as they were, and lie where the tensor core looks for them. */
class SparseFragmentsTest {
    private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Arena arena = Arena.ofConfined();

    @AfterEach
    void free() {
        arena.close();
    }

    @ParameterizedTest
    @CsvSource({"16, 128", "1, 1", "3, 7", "17, 129", "40, 200", "8, 384", "64, 1024", "33, 11008"})
    void fragmentsHoldTheCodesOfThePackedMatrix(int features, int columns) {
        for (Pattern pattern : Pattern.values()) {
            for (int seed = 0; seed < 4; seed++) {
                PackedMatrix matrix = SparseOperands.weight(pattern, features, columns, 8, new Random(seed));
                SparseFragments fragments = SparseFragments.of(matrix, arena);
                byte[] codes = new byte[features * columns];
                for (int row = 0; row < features; row++) {
                    matrix.unpackRow(row, codes, row * columns);
                }
                assertThat(fragments.unpack()).as("%s", pattern).isEqualTo(codes);
                assertThat(fragments.scales().toArray(ValueLayout.JAVA_BYTE))
                        .isEqualTo(matrix.scales().toArray(ValueLayout.JAVA_BYTE));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"PAIRS_4_OF_8, 512, 128", "TWO_OF_FOUR, 512, 256", "DENSE, 1024, 0"})
    void aBlockTakesItsBytes(Pattern pattern, int codes, int kept) {
        PackedMatrix matrix = SparseOperands.weight(pattern, 33, 257, 8, new Random(1));
        SparseFragments fragments = SparseFragments.of(matrix, arena);
        assertThat(fragments.codes().byteSize()).isEqualTo(3 * 3 * codes);
        assertThat(fragments.kept().byteSize()).isEqualTo(3 * 3 * kept);
    }

    /** One pair in row 9, columns 40 and 41: chunk 5 of the matrix is chunk 5 of the transposed, too: registers a1, a3 of row g + 8; lane 4 · 1 + 5 / 2, high half. */
    @Test
    void aPairLiesInTheRegisterThatTheInstructionTakesItFrom() {
        byte[] codes = new byte[16 * 128];
        boolean[] mask = new boolean[16 * 128];
        int at = 9 * 128 + 40;
        codes[at] = 5;
        codes[at + 1] = -6;
        mask[at] = true;
        mask[at + 1] = true;
        PackedMatrix matrix = Packing.pack(Pattern.PAIRS_4_OF_8, 4, 16, 128, codes, mask, new float[16]);
        SparseFragments fragments = SparseFragments.of(matrix, arena);
        int lane = 4 + 2;
        for (int word = 0; word < 128; word++) {
            assertThat(fragments.codes().getAtIndex(WORD, word))
                    .as("word %d", word)
                    .isEqualTo(word == lane * 4 + 1 ? 0xA5 << 16 : 0);
        }
        for (int word = 0; word < 32; word++) {
            assertThat(fragments.kept().getAtIndex(WORD, word))
                    .as("lane %d", word)
                    .isEqualTo(0x44444444);
        }
    }

    /** Row 3 keeps pairs 2 and 3 of chunk 8 of the matrix, which the instruction takes as chunk 2: third nibble of the lane for row 3's first half. */
    @Test
    void theKeptPairsLieInTheLaneThatTheInstructionTakesThemFrom() {
        boolean[] mask = new boolean[16 * 128];
        for (int column = 68; column < 72; column++) {
            mask[3 * 128 + column] = true;
        }
        PackedMatrix matrix = Packing.pack(Pattern.PAIRS_4_OF_8, 4, 16, 128, new byte[16 * 128], mask, new float[16]);
        SparseFragments fragments = SparseFragments.of(matrix, arena);
        for (int word = 0; word < 32; word++) {
            assertThat(fragments.kept().getAtIndex(WORD, word))
                    .as("lane %d", word)
                    .isEqualTo(word == 4 * 3 ? 0x44444E44 : 0x44444444);
        }
    }

    /** Columns 44, 47 of row 9 are the second group of chunk 5: the odd nibbles of the register and half where 4:8p has that chunk, sixth nibble of the second word of the lane for its first half. */
    @Test
    void aGroupOfFourLiesWhereItsProductTakesItFrom() {
        byte[] codes = new byte[16 * 128];
        boolean[] mask = new boolean[16 * 128];
        int at = 9 * 128 + 44;
        codes[at] = 5;
        codes[at + 3] = -6;
        mask[at] = true;
        mask[at + 3] = true;
        PackedMatrix matrix = Packing.pack(Pattern.TWO_OF_FOUR, 4, 16, 128, codes, mask, new float[16]);
        SparseFragments fragments = SparseFragments.of(matrix, arena);
        int lane = 4 + 2;
        for (int word = 0; word < 128; word++) {
            assertThat(fragments.codes().getAtIndex(WORD, word))
                    .as("word %d", word)
                    .isEqualTo(word == lane * 4 + 1 ? 0xA050 << 16 : 0);
        }
        int keeper = 4 + 1; // row 9, first half
        for (int word = 0; word < 64; word++) {
            assertThat(fragments.kept().getAtIndex(WORD, word))
                    .as("word %d", word)
                    .isEqualTo(word == keeper * 2 + 1 ? 0x44C44444 : 0x44444444);
        }
    }

    /** Column 41 of row 9, chunk 5: lane t = 1 of the first half, a3 (chunk t + 4, row g + 8). */
    @Test
    void aDenseCodeLiesInTheRegisterThatTheInstructionTakesItFrom() {
        byte[] codes = new byte[16 * 128];
        codes[9 * 128 + 41] = -6;
        PackedMatrix matrix = Packing.pack(Pattern.DENSE, 4, 16, 128, codes, new boolean[0], new float[16]);
        SparseFragments fragments = SparseFragments.of(matrix, arena);
        for (int word = 0; word < 256; word++) {
            assertThat(fragments.codes().getAtIndex(WORD, word))
                    .as("word %d", word)
                    .isEqualTo(word == (4 + 1) * 4 + 3 ? 0xA0 : 0);
        }
    }

    /** Rows 3 and 4 hold one code each, in column 9. */
    @Test
    void bitmapBlocksHoldCodesInTheOrderOfTheirLanes() {
        byte[] codes = new byte[16 * 256];
        codes[3 * 256 + 9] = -6;
        codes[4 * 256 + 9] = 5;
        boolean[] mask = new boolean[16 * 256];
        Arrays.fill(mask, true);
        PackedMatrix matrix = Packing.pack(Pattern.UNSTRUCTURED, 4, 16, 256, codes, mask, new float[16]);
        SparseFragments fragments = SparseFragments.of(matrix, arena);
        // 256 bytes of bits; the first block has 1 byte of codes and 8 of zeros, the second one 8 of zeros
        assertThat(fragments.kept().toArray(WORD)).containsExactly(0, 17, 34);
        // chunk 1 of the matrix is chunk 4 of the instruction: t = 0, registers a2 of the first half; column 1 is odd:
        // bit 4 * 2 + 0 of word 1
        for (int word = 0; word < 64; word++) {
            assertThat(fragments.codes().getAtIndex(WORD, word))
                    .as("word %d", word)
                    .isEqualTo(word == 12 * 2 + 1 || word == 16 * 2 + 1 ? 1 << 8 : 0);
        }
        assertThat(fragments.codes().getAtIndex(WORD, 64)).isEqualTo(0x5A);
    }

    @Test
    void codesOf8BitsAreNoFragments() {
        PackedMatrix bytes = Packing.pack(Pattern.DENSE, 8, 8, 8, new byte[64], new boolean[0], new float[8]);
        assertThatThrownBy(() -> SparseFragments.of(bytes, arena))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("not 8-bit ones");
    }

    @ParameterizedTest
    @ValueSource(ints = {0x0, 0x5, 0xA, 0xF, 0x1, 0x6, 0xB})
    void pairsThatDoNotAscendAreRefused(int nibble) {
        MemorySegment index = MemorySegment.ofArray(new byte[] {(byte) (0x40 | nibble)});
        PackedMatrix damaged = new PackedMatrix(
                Pattern.PAIRS_4_OF_8,
                4,
                1,
                16,
                MemorySegment.ofArray(new byte[4]),
                index,
                MemorySegment.ofArray(new byte[4]));
        assertThatThrownBy(() -> SparseFragments.of(damaged, arena))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("columns 0 to 7");
    }
}
