package dev.obr.compressor.obr;

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
 * @param symmetric whether 0 is the middle of the codes; restoring with asymmetric codes is our own extension of the paper's code
 * @param weightClip whether each row's range is searched for the one of least error
 * @param blockSize columns that SparseGPT's unstructured masks are chosen in, and that GPTQ updates at once (which does not change its result); 1 or more
 * @param actOrder whether {@link Method#GPTQ} takes columns of large inputs first
 * @param seed of random masks
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
        long seed) {
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
                0);
    }

    /** The grid that weights are rounded to. */
    public WeightGrid grid() {
        return WeightGrid.perRow(bits, symmetric, weightClip);
    }

    /** Whether nothing is pruned. */
    public boolean dense() {
        return !method.prunes() || pattern == Pattern.DENSE || (pattern == Pattern.UNSTRUCTURED && sparsity == 0);
    }

    public CompressionOptions withMethod(Method method) {
        return with(draft -> draft.method = method);
    }

    public CompressionOptions withPattern(Pattern pattern) {
        return with(draft -> draft.pattern = pattern);
    }

    public CompressionOptions withSparsity(double sparsity) {
        return with(draft -> draft.sparsity = sparsity);
    }

    public CompressionOptions withMetric(MaskMetric metric) {
        return with(draft -> draft.metric = metric);
    }

    public CompressionOptions withAlpha(double alpha) {
        return with(draft -> draft.alpha = alpha);
    }

    public CompressionOptions withAlphaRule(AlphaRule alphaRule) {
        return with(draft -> draft.alphaRule = alphaRule);
    }

    public CompressionOptions withPercdamp(double percdamp) {
        return with(draft -> draft.percdamp = percdamp);
    }

    public CompressionOptions withBits(int bits) {
        return with(draft -> draft.bits = bits);
    }

    public CompressionOptions withSymmetric(boolean symmetric) {
        return with(draft -> draft.symmetric = symmetric);
    }

    public CompressionOptions withWeightClip(boolean weightClip) {
        return with(draft -> draft.weightClip = weightClip);
    }

    public CompressionOptions withBlockSize(int blockSize) {
        return with(draft -> draft.blockSize = blockSize);
    }

    public CompressionOptions withActOrder(boolean actOrder) {
        return with(draft -> draft.actOrder = actOrder);
    }

    public CompressionOptions withScaler(ScalerVariant scaler) {
        return with(draft -> draft.scaler = scaler);
    }

    public CompressionOptions withSolver(Solver solver) {
        return with(draft -> draft.solver = solver);
    }

    public CompressionOptions withSeed(long seed) {
        return with(draft -> draft.seed = seed);
    }

    private CompressionOptions with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.finished();
    }

    /** The same values, one of them about to change. */
    private static final class Draft {
        private Method method;
        private Pattern pattern;
        private double sparsity;
        private MaskMetric metric;
        private double alpha;
        private AlphaRule alphaRule;
        private double percdamp;
        private int bits;
        private boolean symmetric;
        private boolean weightClip;
        private int blockSize;
        private boolean actOrder;
        private ScalerVariant scaler;
        private Solver solver;
        private long seed;

        Draft(CompressionOptions from) {
            method = from.method;
            pattern = from.pattern;
            sparsity = from.sparsity;
            metric = from.metric;
            alpha = from.alpha;
            alphaRule = from.alphaRule;
            percdamp = from.percdamp;
            bits = from.bits;
            symmetric = from.symmetric;
            weightClip = from.weightClip;
            blockSize = from.blockSize;
            actOrder = from.actOrder;
            scaler = from.scaler;
            solver = from.solver;
            seed = from.seed;
        }

        CompressionOptions finished() {
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
                    seed);
        }
    }
}
