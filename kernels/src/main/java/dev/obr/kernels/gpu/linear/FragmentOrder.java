package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.packed.Pattern;
import java.util.Arrays;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a block of 16 features x 128 columns of a 4-bit weight lies in the registers of a warp, by what the tensor core makes of it: {@link SparseFragments}.
 */
enum FragmentOrder {
    /** 4:8p, for {@code mma.sp.m16n8k128.s4}: of each chunk of 8 columns 4 codes, and one nibble for the kept pairs. */
    PAIRS(Set.of(Pattern.PAIRS_4_OF_8), 4, 1, KernelModule.SPGEMM_S4, KernelModule.SPGEMM_S8),
    /** 2:4, for twice {@code mma.sp.m16n8k64.s8}: of each chunk of 8 columns two groups of 2 codes, and a nibble for each. */
    FOURS(Set.of(Pattern.TWO_OF_FOUR), 4, 2, null, KernelModule.SPGEMM_S8_24),
    /** All 8 codes of a chunk, for twice {@code mma.m16n8k64.s4}. */
    DENSE(Set.of(Pattern.DENSE), 8, 0, KernelModule.GEMM_S4, KernelModule.GEMM_S8),
    /** The same without those that are 0: {@link BitmapBlocks}, of any length. */
    BITMAP(
            Set.of(Pattern.UNSTRUCTURED, Pattern.FOUR_OF_EIGHT, Pattern.HALF_OF_64),
            8,
            0,
            null,
            KernelModule.GEMM_BITMAP);

    private static final int LANES = 32;
    private static final int CHUNKS = SparseFragments.STEP / SparseFragments.CHUNK;

    private final Set<Pattern> patterns;
    private final int codesPerChunk;
    private final int keptPerChunk;
    private final @Nullable KernelModule int4;
    private final KernelModule int8;

    FragmentOrder(
            Set<Pattern> patterns,
            int codesPerChunk,
            int keptPerChunk,
            @Nullable KernelModule int4,
            KernelModule int8) {
        this.patterns = patterns;
        this.codesPerChunk = codesPerChunk;
        this.keptPerChunk = keptPerChunk;
        this.int4 = int4;
        this.int8 = int8;
    }

    static FragmentOrder of(Pattern pattern) {
        return Arrays.stream(values())
                .filter(order -> order.patterns.contains(pattern))
                .findFirst()
                .orElseThrow();
    }

    /** @throws ObrException where tensor cores have no product of that pattern with such activations */
    KernelModule module(TokenLayout layout) {
        KernelModule module = layout == TokenLayout.INT8 ? int8 : int4;
        if (module == null) {
            throw new ObrException("tensor cores multiply no weights on " + patterns
                    + " with activations in the layout " + layout + ": use " + TokenLayout.INT8
                    + ", which holds 4-bit codes, too");
        }
        return module;
    }

    /** Codes of a chunk of 8 columns. */
    int codesPerChunk() {
        return codesPerChunk;
    }

    /** Nibbles that say which codes of a chunk they are. */
    int keptPerChunk() {
        return keptPerChunk;
    }

    /** Bytes of a block's codes; before zeros are taken out. */
    int codeBytes() {
        return SparseFragments.BLOCK_FEATURES * CHUNKS * codesPerChunk / 2;
    }

    /** Bytes of what says which codes they are. */
    int keptBytes() {
        return LANES * keptPerChunk * Integer.BYTES;
    }

    /** Where in a block's codes those of chunk m of a row begin, in bytes. */
    int codePlace(int row, int m) {
        return codesPerChunk == SparseFragments.CHUNK
                ? 512 * (m / 8) + 16 * (4 * (row % 8) + m % 4) + 4 * (2 * (m % 8 / 4) + row / 8)
                : 16 * (4 * (row % 8) + m / 2 % 4) + 4 * (2 * (m / 8) + row / 8) + 2 * (m % 2);
    }

    /** The word of a block that says what chunks 8 half .. 8 half + 7 of a row keep; {@code product} counts a chunk's nibbles. */
    int keptPlace(int row, int half, int product) {
        int lane = 4 * (row % 8) + 2 * half + row / 8;
        return lane * keptPerChunk + product;
    }

    /** A chunk's codes in the order of the columns, low nibble first, in the order of registers and back: with two groups, their codes alternate. */
    int arranged(int codes) {
        return this == FOURS ? codes & 0xf00f | (codes & 0x0f0) << 4 | (codes & 0xf00) >> 4 : codes;
    }

    /** The column of a chunk that holds its i-th code in the order of the columns. */
    int column(int i, int kept) {
        return switch (this) {
            case PAIRS -> 2 * (kept >> 2 * (i / 2) & 3) + i % 2;
            case FOURS -> 4 * (i / 2) + (kept >> 2 * i & 3);
            case DENSE, BITMAP -> i;
        };
    }
}
