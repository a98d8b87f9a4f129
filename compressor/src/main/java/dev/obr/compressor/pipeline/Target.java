package dev.obr.compressor.pipeline;

import dev.obr.kernels.ObrException;
import java.util.Arrays;
import java.util.stream.Collectors;

/** What the outputs of a compressed linear layer are to come close to. */
public enum Target {
    /** What its own weights give on the same, already disturbed inputs, as published. */
    LAYER("layer"),
    /** What the model as it was gives there; those that write to the residual stream repair what went wrong in it before, too. */
    RESIDUAL("residual");

    private final String label;

    Target(String label) {
        this.label = label;
    }

    /** The name that options, files and reports use. */
    public String label() {
        return label;
    }

    /** @throws ObrException if there is no target of that name, naming those there are */
    public static Target parse(String label) {
        return Arrays.stream(values())
                .filter(target -> target.label.equals(label))
                .findFirst()
                .orElseThrow(() -> new ObrException("\"" + label + "\" is no target: use one of "
                        + Arrays.stream(values()).map(Target::label).collect(Collectors.joining(", ")) + "."));
    }

    @Override
    public String toString() {
        return label;
    }
}
