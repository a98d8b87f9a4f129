package dev.obr.kernels.emulator;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A fundamental type of PTX, as in the last modifier of most opcodes. */
enum PtxType {
    PRED(1, Kind.PREDICATE),
    B8(8, Kind.BITS),
    U8(8, Kind.UNSIGNED),
    S8(8, Kind.SIGNED),
    B16(16, Kind.BITS),
    U16(16, Kind.UNSIGNED),
    S16(16, Kind.SIGNED),
    F16(16, Kind.FLOAT),
    BF16(16, Kind.FLOAT),
    B32(32, Kind.BITS),
    U32(32, Kind.UNSIGNED),
    S32(32, Kind.SIGNED),
    F32(32, Kind.FLOAT),
    F16X2(32, Kind.PACKED),
    BF16X2(32, Kind.PACKED),
    B64(64, Kind.BITS),
    U64(64, Kind.UNSIGNED),
    S64(64, Kind.SIGNED),
    F64(64, Kind.FLOAT),
    B128(128, Kind.BITS);

    enum Kind {
        PREDICATE,
        BITS,
        UNSIGNED,
        SIGNED,
        FLOAT,
        PACKED
    }

    private static final Map<String, PtxType> BY_NAME = new HashMap<>();

    static {
        for (PtxType type : values()) {
            BY_NAME.put(type.label(), type);
        }
    }

    private final int bits;
    private final Kind kind;

    PtxType(int bits, Kind kind) {
        this.bits = bits;
        this.kind = kind;
    }

    static @Nullable PtxType of(String name) {
        return BY_NAME.get(name);
    }

    int bits() {
        return bits;
    }

    int bytes() {
        return bits / 8;
    }

    /** Whether its registers lie in the bank of 64-bit registers. */
    boolean wide() {
        return bits == 64;
    }

    boolean signed() {
        return kind == Kind.SIGNED;
    }

    boolean untyped() {
        return kind == Kind.BITS;
    }

    /** One number with an exponent: f16, bf16, f32 or f64. */
    boolean isFloat() {
        return kind == Kind.FLOAT;
    }

    /** Signed, unsigned or untyped bits. */
    boolean isInteger() {
        return kind == Kind.SIGNED || kind == Kind.UNSIGNED || kind == Kind.BITS;
    }

    boolean packed() {
        return kind == Kind.PACKED;
    }

    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String toString() {
        return "." + label();
    }
}
