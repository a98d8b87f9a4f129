package dev.obr.runtime.transformer;

import java.util.Locale;

/** How keys and values are kept between steps. */
public enum KvType {
    /** 4 bytes a component: exact. */
    F32,
    /** 2 bytes a component: the default. */
    F16;

    /** {@code f32}, {@code f16}: as options write it. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
