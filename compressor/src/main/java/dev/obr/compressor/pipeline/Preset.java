package dev.obr.compressor.pipeline;

import dev.obr.compressor.mask.AdmmSchedule;
import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.obr.Method;

/** Settings that go together. */
public enum Preset {
    /** As published (arXiv 2509.11177): OBR, each layer fitted to its own outputs. */
    PAPER("paper", Method.OBR_GPTQ, AdmmSchedule.DEFAULT, Target.LAYER),
    /** The least loss: obr-plus, fitted to the whole model's outputs. */
    QUALITY("quality", Method.OBR_PLUS, AdmmSchedule.DEFAULT, Target.RESIDUAL),
    /** The same with a quarter of the mask search. */
    FAST("fast", Method.OBR_PLUS, AdmmSchedule.FAST, Target.RESIDUAL);

    private final String label;
    private final Method method;
    private final AdmmSchedule admm;
    private final Target target;

    Preset(String label, Method method, AdmmSchedule admm, Target target) {
        this.label = label;
        this.method = method;
        this.admm = admm;
        this.target = target;
    }

    /** The name that options use. */
    public String label() {
        return label;
    }

    /** What each layer's outputs are to come close to. */
    public Target target() {
        return target;
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
