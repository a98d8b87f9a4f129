package dev.obr.models.safetensors;

import dev.obr.kernels.DType;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The element types that safetensors files name. */
enum SafetensorsType {
    F32(32, DType.F32),
    F16(16, DType.F16),
    BF16(16, DType.BF16),
    F64(64, null),
    C64(64, null),
    I64(64, null),
    I32(32, null),
    I16(16, null),
    I8(8, null),
    U64(64, null),
    U32(32, null),
    U16(16, null),
    U8(8, null),
    BOOL(8, null),
    F8_E5M2(8, null),
    F8_E4M3(8, null),
    F8_E8M0(8, null),
    F6_E2M3(6, null),
    F6_E3M2(6, null),
    F4(4, null);

    private final int bits;
    private final @Nullable DType weightType;

    SafetensorsType(int bits, @Nullable DType weightType) {
        this.bits = bits;
        this.weightType = weightType;
    }

    static Optional<SafetensorsType> named(String name) {
        return Arrays.stream(values()).filter(type -> type.name().equals(name)).findFirst();
    }

    /** Bits of one element. */
    int bits() {
        return bits;
    }

    /** The type of a weight stored so, or null where weights can't be. */
    @Nullable
    DType weightType() {
        return weightType;
    }
}
