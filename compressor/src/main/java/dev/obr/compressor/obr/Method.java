package dev.obr.compressor.obr;

import dev.obr.kernels.ObrException;
import java.util.Arrays;
import java.util.stream.Collectors;

/** How a layer is compressed. */
public enum Method {
    /** Optimal Brain Restoration, rounded at the end (arXiv 2509.11177). */
    OBR_RTN("obr-rtn", true),
    /** Optimal Brain Restoration, its later columns rounded by GPTQ. */
    OBR_GPTQ("obr-gptq", true),
    /** A mask searched together with what makes up for it, and codes searched on that mask (ADMM, nearest planes, coordinate descent); scales have a sign. */
    OBR_PLUS("obr-plus", true),
    /** Rounded to nearest; every weight is kept. */
    RTN("rtn", false),
    /** GPTQ (arXiv 2210.17323); every weight is kept. */
    GPTQ("gptq", false),
    /** Pruned and rounded, nothing is restored. */
    WANDA_RTN("wanda+rtn", true),
    /** SparseGPT and GPTQ in one sweep over the columns. */
    SPARSEGPT_GPTQ("sparsegpt+gptq", true),
    /** Optimal Brain Restoration of the rounding error alone; every weight is kept. */
    QUANT_ONLY("quant-only", false);

    private final String label;
    private final boolean prunes;

    Method(String label, boolean prunes) {
        this.label = label;
        this.prunes = prunes;
    }

    /** The name that options, files and reports use. */
    public String label() {
        return label;
    }

    /** Whether the pattern matters: the other methods keep every weight. */
    public boolean prunes() {
        return prunes;
    }

    /** Whether the grid's zero has to be in its middle. */
    public boolean symmetricOnly() {
        return this == OBR_PLUS;
    }

    /** @throws ObrException if there is no method of that name, naming those there are */
    public static Method parse(String label) {
        return Arrays.stream(values())
                .filter(method -> method.label.equals(label))
                .findFirst()
                .orElseThrow(() -> new ObrException("\"" + label + "\" is no method: use one of "
                        + Arrays.stream(values()).map(Method::label).collect(Collectors.joining(", ")) + "."));
    }

    @Override
    public String toString() {
        return label;
    }
}
