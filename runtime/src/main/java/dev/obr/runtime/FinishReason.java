package dev.obr.runtime;

import java.util.Locale;

/** Why a generation ended. */
public enum FinishReason {
    /** An end-of-sequence token or a stop string. */
    STOP,
    /** The token limit or the context length. */
    LENGTH,
    /** {@link Generation#cancel}. */
    CANCELLED;

    /** {@code stop}, {@code length}, {@code cancelled}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
