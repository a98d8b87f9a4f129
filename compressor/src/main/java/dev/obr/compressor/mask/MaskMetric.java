package dev.obr.compressor.mask;

import dev.obr.kernels.ObrException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** How much a weight is worth keeping. */
public enum MaskMetric {
    /** |W| times the norm of the input that it multiplies (Wanda, arXiv 2306.11695). */
    WANDA,
    /** |W|. */
    MAGNITUDE,
    /** Nothing at all: equal seeds give equal masks. */
    RANDOM,
    /** W² over the squared diagonal of the inverse Hessian's upper factor (SparseGPT, arXiv 2301.00774). */
    SPARSEGPT;

    /** The name that options and reports use. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** @throws ObrException if there is no metric of that name, naming those there are */
    public static MaskMetric parse(String label) {
        return Arrays.stream(values())
                .filter(metric -> metric.label().equals(label))
                .findFirst()
                .orElseThrow(() -> new ObrException("\"" + label + "\" is no mask metric: use one of "
                        + Arrays.stream(values()).map(MaskMetric::label).collect(Collectors.joining(", ")) + "."));
    }

    @Override
    public String toString() {
        return label();
    }
}
