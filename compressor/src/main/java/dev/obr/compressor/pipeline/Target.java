package dev.obr.compressor.pipeline;

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

    @Override
    public String toString() {
        return label;
    }
}
