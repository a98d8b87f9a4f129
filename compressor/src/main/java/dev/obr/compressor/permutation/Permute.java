package dev.obr.compressor.permutation;

import dev.obr.kernels.packed.Pattern;
import java.util.Locale;

/** Whether linear layers may take the columns of their input in another order. */
public enum Permute {
    /** {@code 4:8p}: where that lowers the loss on calibration windows that the order was not fitted to. */
    AUTO,
    /** Everywhere, for any pattern that counts columns in groups. */
    ON,
    /** Nowhere. */
    OFF;

    /** Whether an order is looked for at all. */
    public boolean seeks(Pattern pattern) {
        return this == ON || this == AUTO && pattern == Pattern.PAIRS_4_OF_8;
    }

    /** The name that options and files use. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
