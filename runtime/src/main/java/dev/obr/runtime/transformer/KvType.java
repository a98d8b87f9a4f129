package dev.obr.runtime.transformer;

import java.util.Locale;

/** How keys and values are kept between steps. */
public enum KvType {
    /** 4 bytes a component: exact. */
    F32,
    /** 2 bytes a component: the default of models that are not packed. */
    F16,
    /** 1 byte a component and 4 bytes for each head's key and value: asymmetric codes with a scale per token and head. */
    INT8,
    /** Half a byte a component, else as INT8: the default of packed models. */
    INT4;

    /** {@code f32}, {@code f16}, {@code int8}, {@code int4}: as options write it. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Bits of a component's code: 4, 8, 16 or 32. */
    public int bits() {
        return switch (this) {
            case F32 -> 32;
            case F16 -> 16;
            case INT8 -> 8;
            case INT4 -> 4;
        };
    }

    /** Whether components are codes rather than floats. */
    public boolean coded() {
        return this == INT8 || this == INT4;
    }

    /** The type of that many bits: 4, 8 or 16. */
    public static KvType ofBits(int bits) {
        return switch (bits) {
            case 4 -> INT4;
            case 8 -> INT8;
            case 16 -> F16;
            default -> throw new IllegalArgumentException("no cache keeps components in " + bits + " bits");
        };
    }
}
