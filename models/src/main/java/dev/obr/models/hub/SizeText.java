package dev.obr.models.hub;

import java.util.Locale;

/** Numbers of bytes as the hub shows them: 1.2 GB are 1,200,000,000. */
public final class SizeText {
    private static final String UNITS = "kMGTPE";

    private SizeText() {}

    /** Two or three digits and a unit. */
    public static String of(long bytes) {
        if (bytes < 1000) {
            return bytes + " B";
        }
        double value = bytes;
        int unit = -1;
        while (value >= 999.5 && unit < UNITS.length() - 1) {
            value /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, value < 9.95 ? "%.1f %sB" : "%.0f %sB", value, UNITS.charAt(unit));
    }
}
