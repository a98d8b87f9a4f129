package dev.obr.bench.report;

import dev.obr.bench.results.Figure;
import dev.obr.bench.results.Machine;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Words of a report that several of its parts use. */
final class Label {
    /** Between the quarters, as a part of the median, from which on a number is marked. */
    private static final double NOISY = 0.1;

    private Label() {}

    /** {@code time [ms]}, {@code perplexity}; the unit in a name such as {@code mean_ttft_ms} is not said twice. */
    static String withUnit(String figure, Scale scale) {
        return words(figure.replaceAll("_ms$", ""))
                + (scale.unit().isEmpty() || scale.unit().equals(figure) ? "" : " [" + scale.unit() + "]");
    }

    /** {@code weight_bytes} as words; {@code Q4_0} is one. */
    static String words(String name) {
        return name.replaceAll("_(?!\\d)", " ");
    }

    /** What a number is called that was not measured here; empty for the others. */
    static String kind(Figure figure) {
        return switch (figure.kind()) {
            case MODELLED -> "modelled";
            case PUBLISHED -> "published";
            case MEASURED, COUNTED -> "";
        };
    }

    /** Whether repetitions differ so much that the number is to be read with care. */
    static boolean noisy(Figure figure) {
        return figure.kind() == Figure.Kind.MEASURED && figure.count() > 1 && figure.spread() > NOISY;
    }

    /** {@code shape 4096x4096, tokens 16}. */
    static String key(Map<String, String> key) {
        return key.entrySet().stream()
                .map(part -> words(part.getKey()) + " " + part.getValue())
                .collect(Collectors.joining(", "));
    }

    /** A machine in a line. */
    static String machine(Machine machine) {
        return (machine.gpu() == null ? "" : machine.gpu() + "; ")
                + String.format(
                        Locale.ROOT,
                        "%s (%s), %d core%s, %.0f GiB",
                        machine.cpu(),
                        machine.instructions(),
                        machine.cores(),
                        machine.cores() == 1 ? "" : "s",
                        machine.memoryBytes() / (double) (1L << 30));
    }

    /** The rest of what is known of it. */
    static String software(Machine machine) {
        return machine.system() + "; " + machine.java() + "; OBR Runtime " + machine.product();
    }
}
