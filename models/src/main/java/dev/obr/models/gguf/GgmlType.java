package dev.obr.models.gguf;

import dev.obr.kernels.DType;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The tensor types that GGUF files number, with the size of their blocks; those with a {@link DType} can be used. */
enum GgmlType {
    F32(0, DType.F32),
    F16(1, DType.F16),
    Q4_0(2, DType.Q4_0),
    Q4_1(3, DType.Q4_1),
    Q5_0(6, 32, 22),
    Q5_1(7, 32, 24),
    Q8_0(8, DType.Q8_0),
    Q8_1(9, 32, 36),
    Q2_K(10, 256, 84),
    Q3_K(11, 256, 110),
    Q4_K(12, DType.Q4_K),
    Q5_K(13, 256, 176),
    Q6_K(14, DType.Q6_K),
    Q8_K(15, 256, 292),
    IQ2_XXS(16, 256, 66),
    IQ2_XS(17, 256, 74),
    IQ3_XXS(18, 256, 98),
    IQ1_S(19, 256, 50),
    IQ4_NL(20, 32, 18),
    IQ3_S(21, 256, 110),
    IQ2_S(22, 256, 82),
    IQ4_XS(23, 256, 136),
    I8(24, 1, 1),
    I16(25, 1, 2),
    I32(26, 1, 4),
    I64(27, 1, 8),
    F64(28, 1, 8),
    IQ1_M(29, 256, 56),
    BF16(30, DType.BF16),
    TQ1_0(34, 256, 54),
    TQ2_0(35, 256, 66),
    MXFP4(39, 32, 17);

    private final int number;
    private final int blockSize;
    private final int blockBytes;
    private final @Nullable DType weightType;

    GgmlType(int number, DType weightType) {
        this.number = number;
        this.blockSize = weightType.blockSize();
        this.blockBytes = weightType.blockBytes();
        this.weightType = weightType;
    }

    GgmlType(int number, int blockSize, int blockBytes) {
        this.number = number;
        this.blockSize = blockSize;
        this.blockBytes = blockBytes;
        this.weightType = null;
    }

    static Optional<GgmlType> numbered(int number) {
        return Arrays.stream(values()).filter(type -> type.number == number).findFirst();
    }

    static GgmlType of(DType weightType) {
        return Arrays.stream(values())
                .filter(type -> type.weightType == weightType)
                .findFirst()
                .orElseThrow();
    }

    /** As the file writes it. */
    int number() {
        return number;
    }

    /** Elements in one block. */
    int blockSize() {
        return blockSize;
    }

    /** Bytes of one block. */
    int blockBytes() {
        return blockBytes;
    }

    /** The type of a weight stored so, or null where weights can't be. */
    @Nullable
    DType weightType() {
        return weightType;
    }
}
