package dev.obr.compressor.pipeline;

import dev.obr.compressor.mask.AdmmSchedule;
import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.obr.Method;
import dev.obr.compressor.permutation.Permute;

/** Settings that go together. */
public enum Preset {
    /** As published (arXiv 2509.11177): OBR, each layer fitted to its own outputs. */
    PAPER("paper", Method.OBR_GPTQ, AdmmSchedule.DEFAULT, Target.LAYER, Permute.OFF),
    /** The least loss: obr-plus, fitted to the whole model's outputs. */
    QUALITY("quality", Method.OBR_PLUS, AdmmSchedule.DEFAULT, Target.RESIDUAL, Permute.AUTO),
    /** The same with a quarter of the mask search, and columns in the order of the file. */
    FAST("fast", Method.OBR_PLUS, AdmmSchedule.FAST, Target.RESIDUAL, Permute.OFF);

    private final String label;
    private final Method method;
    private final AdmmSchedule admm;
    private final Target target;
    private final Permute permute;

    Preset(String label, Method method, AdmmSchedule admm, Target target, Permute permute) {
        this.label = label;
        this.method = method;
        this.admm = admm;
        this.target = target;
        this.permute = permute;
    }

    /** The name that options use. */
    public String label() {
        return label;
    }

    /** What each layer's outputs are to come close to. */
    public Target target() {
        return target;
    }

    /** Whether linear layers may take their inputs in another order. */
    public Permute permute() {
        return permute;
    }

    /** How a linear layer is compressed: half of its weights pruned wherever they are, 4 bits, clip search. */
    public CompressionOptions linear() {
        return CompressionOptions.defaults().withMethod(method).withAdmm(admm).withWeightClip(true);
    }

    @Override
    public String toString() {
        return label;
    }
}
