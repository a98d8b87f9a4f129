package dev.obr.kernels.cpu;

import dev.obr.kernels.ObrException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The most that native kernels may use of a processor, least first: what is slower than the cap stays allowed. For finding out whether an instruction set is at fault, and what it gains.
 *
 * <p>The names are x86's. On other processors anything above {@code generic} allows all.
 */
public enum CpuCap {
    GENERIC,
    AVX2,
    AVXVNNI,
    AVX512,
    AMX,
    /** No cap. */
    NONE;

    /**
     * The cap of that name; none for null.
     *
     * @throws ObrException if there is no such cap
     */
    static CpuCap named(@Nullable String name) {
        if (name == null) {
            return NONE;
        }
        return Arrays.stream(values())
                .filter(cap -> cap != NONE && cap.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new ObrException(
                        "kernels cannot be capped at '" + name + "' (-Dobr.cpu): use one of " + names()));
    }

    private static String names() {
        return Arrays.stream(values())
                .filter(cap -> cap != NONE)
                .map(CpuCap::toString)
                .collect(Collectors.joining(", "));
    }

    boolean allows(KernelSet set) {
        return set.facts().level().compareTo(this) <= 0;
    }

    /** As in {@code -Dobr.cpu}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
