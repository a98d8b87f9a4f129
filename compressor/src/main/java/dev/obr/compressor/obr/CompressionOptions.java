package dev.obr.compressor.obr;

import dev.obr.compressor.mask.AdmmSchedule;
import dev.obr.compressor.mask.MaskMetric;
import dev.obr.compressor.quantizer.WeightGrid;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.Pattern;
import java.util.function.Consumer;

/**
 * How one linear layer is compressed.
 *
 * @param sparsity share of each row that is pruned, in [0, 1); only {@link Pattern#UNSTRUCTURED} asks for it, the others prune half (or nothing)
 * @param alpha share of the columns that is rounded before the rest takes their error, in [0, 1]
 * @param percdamp what is added to the Hessian's diagonal, as a share of its mean; 0 or more
 * @param bits of a weight, 2 to 8
 * @param symmetric whether 0 is the middle of the codes, which {@link Method#OBR_PLUS} asks for; restoring with asymmetric codes is our own extension of the paper's code
 * @param weightClip whether each row's range is searched for the one of least error; {@link Method#OBR_PLUS} always does
 * @param blockSize columns that SparseGPT's unstructured masks are chosen in, and that GPTQ updates at once (which does not change its result); 1 or more
 * @param actOrder whether {@link Method#GPTQ} takes columns of large inputs first
 * @param seed of random masks
 * @param admm how {@link Method#OBR_PLUS} searches its mask, which goes by no metric
 */
public record CompressionOptions(
        Method method,
        Pattern pattern,
        double sparsity,
        MaskMetric metric,
        double alpha,
        AlphaRule alphaRule,
        double percdamp,
        int bits,
        boolean symmetric,
        boolean weightClip,
        int blockSize,
        boolean actOrder,
        ScalerVariant scaler,
        Solver solver,
        long seed,
        AdmmSchedule admm) {
    public CompressionOptions {
        if (!(sparsity >= 0 && sparsity < 1)) {
            throw new ObrException("the sparsity is " + sparsity + ", but must be at least 0 and less than 1");
        }
        if (!(alpha >= 0 && alpha <= 1)) {
            throw new ObrException("alpha is " + alpha + ", but must be from 0 to 1");
        }
        if (!(percdamp >= 0 && percdamp < Double.POSITIVE_INFINITY)) {
            throw new ObrException("percdamp is " + percdamp + ", but must be 0 or more; the usual is 0.01");
        }
        if (blockSize < 1) {
            throw new ObrException("the block size is " + blockSize + ", but must be 1 or more; the usual is 128");
        }
        if (method.symmetricOnly() && !symmetric) {
            throw new ObrException(
                    method + " rounds to symmetric codes only; choose those, or another method such as obr-gptq");
        }
        WeightGrid.perRow(bits, symmetric, weightClip); // which checks the bits
    }

    /** OBR_GPTQ at half unstructured sparsity, 4 bits, as the paper has it; clip search off. */
    public static CompressionOptions defaults() {
        return new CompressionOptions(
                Method.OBR_GPTQ,
                Pattern.UNSTRUCTURED,
                0.5,
                MaskMetric.WANDA,
                0.5,
                AlphaRule.COLUMN,
                0.01,
                4,
                true,
                false,
                128,
                false,
                ScalerVariant.QUAROT,
                Solver.AUTO,
                0,
                AdmmSchedule.DEFAULT);
    }

    /** The grid that weights are rounded to. */
    public WeightGrid grid() {
        return WeightGrid.perRow(bits, symmetric, weightClip || method == Method.OBR_PLUS);
    }

    /** Whether nothing is pruned. */
    public boolean dense() {
        return !method.prunes() || pattern == Pattern.DENSE || (pattern == Pattern.UNSTRUCTURED && sparsity == 0);
    }

    public CompressionOptions withMethod(Method method) {
        return with(edit -> edit.method = method);
    }

    public CompressionOptions withPattern(Pattern pattern) {
        return with(edit -> edit.pattern = pattern);
    }

    public CompressionOptions withSparsity(double sparsity) {
        return with(edit -> edit.sparsity = sparsity);
    }

    public CompressionOptions withMetric(MaskMetric metric) {
        return with(edit -> edit.metric = metric);
    }

    public CompressionOptions withAlpha(double alpha) {
        return with(edit -> edit.alpha = alpha);
    }

    public CompressionOptions withAlphaRule(AlphaRule alphaRule) {
        return with(edit -> edit.alphaRule = alphaRule);
    }

    public CompressionOptions withPercdamp(double percdamp) {
        return with(edit -> edit.percdamp = percdamp);
    }

    public CompressionOptions withBits(int bits) {
        return with(edit -> edit.bits = bits);
    }

    public CompressionOptions withSymmetric(boolean symmetric) {
        return with(edit -> edit.symmetric = symmetric);
    }

    public CompressionOptions withWeightClip(boolean weightClip) {
        return with(edit -> edit.weightClip = weightClip);
    }

    public CompressionOptions withBlockSize(int blockSize) {
        return with(edit -> edit.blockSize = blockSize);
    }

    public CompressionOptions withActOrder(boolean actOrder) {
        return with(edit -> edit.actOrder = actOrder);
    }

    public CompressionOptions withScaler(ScalerVariant scaler) {
        return with(edit -> edit.scaler = scaler);
    }

    public CompressionOptions withSolver(Solver solver) {
        return with(edit -> edit.solver = solver);
    }

    public CompressionOptions withSeed(long seed) {
        return with(edit -> edit.seed = seed);
    }

    public CompressionOptions withAdmm(AdmmSchedule admm) {
        return with(edit -> edit.admm = admm);
    }

    private CompressionOptions with(Consumer<Edit> change) {
        Edit edit = new Edit(this);
        change.accept(edit);
        return edit.options();
    }

    /** The options while one of them changes. */
    private static final class Edit {
        Method method;
        Pattern pattern;
        double sparsity;
        MaskMetric metric;
        double alpha;
        AlphaRule alphaRule;
        double percdamp;
        int bits;
        boolean symmetric;
        boolean weightClip;
        int blockSize;
        boolean actOrder;
        ScalerVariant scaler;
        Solver solver;
        long seed;
        AdmmSchedule admm;

        Edit(CompressionOptions options) {
            method = options.method;
            pattern = options.pattern;
            sparsity = options.sparsity;
            metric = options.metric;
            alpha = options.alpha;
            alphaRule = options.alphaRule;
            percdamp = options.percdamp;
            bits = options.bits;
            symmetric = options.symmetric;
            weightClip = options.weightClip;
            blockSize = options.blockSize;
            actOrder = options.actOrder;
            scaler = options.scaler;
            solver = options.solver;
            seed = options.seed;
            admm = options.admm;
        }

        CompressionOptions options() {
            return new CompressionOptions(
                    method,
                    pattern,
                    sparsity,
                    metric,
                    alpha,
                    alphaRule,
                    percdamp,
                    bits,
                    symmetric,
                    weightClip,
                    blockSize,
                    actOrder,
                    scaler,
                    solver,
                    seed,
                    admm);
        }
    }
}
