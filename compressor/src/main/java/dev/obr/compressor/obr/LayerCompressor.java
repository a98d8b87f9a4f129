package dev.obr.compressor.obr;

import dev.obr.compressor.mask.AdmmMask;
import dev.obr.compressor.mask.Mask;
import dev.obr.compressor.mask.MaskMetric;
import dev.obr.compressor.mask.MaskSelection;
import dev.obr.compressor.mask.Scores;
import dev.obr.compressor.quantizer.WeightQuantizer;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.linalg.ColumnScores;
import dev.obr.kernels.linalg.InverseFactor;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.NotPositiveDefiniteException;
import dev.obr.kernels.linalg.TiledProducts;
import dev.obr.kernels.packed.Pattern;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Compresses one linear layer: fits the grid to the weights as they are, prunes, restores, rounds.
 *
 * <p>One call at a time; each uses all threads of the team. The result depends on weight, input and options alone.
 */
public final class LayerCompressor {
    private final LinearAlgebra algebra;
    private final ThreadTeam team;
    private final TiledProducts products;

    public LayerCompressor(LinearAlgebra algebra, ThreadTeam team) {
        this.algebra = algebra;
        this.team = team;
        this.products = new TiledProducts(algebra, team);
    }

    /**
     * Compresses {@code weight}, which stays as it is.
     *
     * @param name of the layer, for messages
     * @param weight W [out, in]
     * @param input what the layer's inputs were like, of {@code in} columns
     * @throws ObrException if the shapes do not fit, a weight is not finite, or the Hessian is not positive definite whatever is added to its diagonal
     */
    public CompressedLayer compress(String name, Matrix weight, LayerInput input, CompressionOptions options) {
        if (weight.cols() != input.cols()) {
            throw new ObrException(name + " has " + weight.cols() + " inputs, but the calibration saw " + input.cols()
                    + "; calibrate with this layer's own inputs");
        }
        Finite.check(weight, name);
        boolean solvesRows = options.method() == Method.OBR_RTN || options.method() == Method.OBR_GPTQ;
        SolverChoice choice =
                SolverChoice.of(options.solver(), weight.rows(), weight.cols(), kept(weight, options), algebra);
        if (solvesRows && options.percdamp() == 0 && choice.solver() == Solver.PCG) {
            throw new ObrException("percdamp is 0, but conjugate gradients certify their result by it:"
                    + " give some, such as 0.01, or choose the solver cholesky");
        }
        List<String> notes = new ArrayList<>();
        if (solvesRows && !options.dense() && !choice.note().isEmpty()) {
            notes.add(choice.note());
        }
        double percdamp = options.percdamp();
        while (true) {
            try {
                return new Attempt(weight, input, options, choice.solver(), percdamp).compress(notes);
            } catch (NotPositiveDefiniteException e) {
                double raised = Damping.raised(percdamp);
                if (raised > Damping.LARGEST) {
                    throw new ObrException(
                            "the Hessian of " + name + " is not positive definite even with percdamp " + percdamp + " ("
                                    + e.getMessage() + "); calibrate again",
                            e);
                }
                notes.add("percdamp raised from " + percdamp + " to " + raised
                        + ": the Hessian is not positive definite");
                percdamp = raised;
            }
        }
    }

    /** Columns that a row keeps. */
    private static int kept(Matrix weight, CompressionOptions options) {
        double share = options.dense() ? 1 : options.pattern() == Pattern.UNSTRUCTURED ? 1 - options.sparsity() : 0.5;
        return (int) Math.ceil(weight.cols() * share);
    }

    /** One try, at one damping. */
    private final class Attempt {
        private final Matrix weight;
        private final LayerInput input;
        private final CompressionOptions options;
        private final Solver solver;
        private final DampedHessian hessian;
        private final WeightQuantizer quantizer;
        private final Matrix alive;
        private @Nullable Certificate certificate;

        Attempt(Matrix weight, LayerInput input, CompressionOptions options, Solver solver, double percdamp) {
            this.weight = weight;
            this.input = input;
            this.options = options;
            this.solver = solver;
            hessian = input.damped(percdamp);
            quantizer = WeightQuantizer.fit(weight, options.grid(), team);
            alive = hessian.withoutDeadColumns(weight);
        }

        CompressedLayer compress(List<String> notes) {
            return switch (options.method()) {
                case RTN -> layer(rounded(weight, dense()), dense(), notes);
                case GPTQ ->
                    layer(options.actOrder() ? sweptByActivation() : swept(alive.copy(), dense()), dense(), notes);
                case QUANT_ONLY -> layer(rounded(restoredRounding(), dense()), dense(), notes);
                case WANDA_RTN -> {
                    Mask mask = mask();
                    yield layer(rounded(alive, mask), mask, notes);
                }
                case OBR_RTN -> {
                    Mask mask = mask();
                    yield layer(rounded(restored(mask, notes), mask), mask, notes);
                }
                case OBR_GPTQ -> {
                    hessian.upper(algebra, team); // whose failure is the layer's, so before any row's
                    Mask mask = mask();
                    yield layer(swept(restored(mask, notes), mask), mask, notes);
                }
                case OBR_PLUS -> searched(notes);
                case SPARSEGPT_GPTQ -> {
                    SparseGptMask chosen = new SparseGptMask(
                            weight.rows(), hessian.upper(algebra, team), options.pattern(), options.sparsity());
                    int group = options.pattern().group();
                    int block = Math.ceilDiv(options.blockSize(), group) * group; // no group lies across two blocks
                    Matrix swept = alive.copy();
                    new GptqSweep(algebra, team, hessian.upper(algebra, team), block)
                            .run(swept, quantizer, chosen, new int[weight.rows()]);
                    yield layer(swept, chosen.mask(), notes);
                }
            };
        }

        private CompressedLayer searched(List<String> notes) {
            Mask mask = options.dense()
                    ? dense()
                    : new AdmmMask(products, team, options.pattern(), options.sparsity())
                            .choose(alive, hessian.penalised(algebra, team, options.admm()));
            CodeSearch.Codes codes = new CodeSearch(
                            algebra, team, products, hessian.matrix(), ScaleGrid.of(quantizer.grid()))
                    .of(alive, mask, quantizer);
            return layer(codes.codes(), codes.scale(), mask, codes.dequantized(), notes);
        }

        private Mask dense() {
            return Mask.dense(weight.rows(), weight.cols());
        }

        private Mask mask() {
            if (options.dense()) {
                return dense();
            }
            if (options.metric() == MaskMetric.RANDOM) {
                Matrix drawn = Scores.random(weight.rows(), weight.cols(), options.seed());
                return selected(drawn, Scores.magnitude(weight.cols()));
            }
            return selected(
                    alive,
                    switch (options.metric()) {
                        case WANDA -> Scores.wanda(input.scalerRow());
                        case SPARSEGPT -> Scores.sparseGpt(hessian.upper(algebra, team));
                        default -> Scores.magnitude(weight.cols());
                    });
        }

        private Mask selected(Matrix of, ColumnScores scores) {
            return MaskSelection.select(algebra, of, scores, options.pattern(), options.sparsity());
        }

        private ColumnSplit split() {
            return new ColumnSplit(options.alpha(), options.alphaRule());
        }

        private Matrix restored(Mask mask, List<String> notes) {
            Restoration restoration = restoration();
            Matrix pruned = alive.copy(); // W ∘ (1 - M)
            for (int i = 0; i < pruned.values().length; i++) {
                pruned.values()[i] = mask.kept()[i] ? 0 : pruned.values()[i];
            }
            Matrix restored =
                    restoration.restore(alive, products.multiply(pruned, hessian.matrix()), mask, quantizer, split());
            certificate = restoration.certificate();
            notes.addAll(restoration.notes());
            return restored;
        }

        private Restoration restoration() {
            if (solver == Solver.PCG) {
                return new IterativeRestoration(algebra, team, hessian);
            }
            FactoredRows rows = algebra.device()
                    .<FactoredRows>map(BatchedRestoration::new)
                    .orElseGet(() -> new RowwiseRestoration(algebra, team));
            return new FactoredRestoration(rows, hessian);
        }

        private Matrix restoredRounding() {
            return new RoundingRestoration(algebra, team, hessian.matrix()).restore(alive, quantizer, options.alpha());
        }

        /** {@code v} swept in place: from the first column for GPTQ, from each row's split after a restoration. */
        private Matrix swept(Matrix v, Mask mask) {
            int[] first = new int[v.rows()];
            if (options.method() != Method.GPTQ) {
                Arrays.setAll(first, row -> split().firstColumn(mask, row));
            }
            new GptqSweep(algebra, team, hessian.upper(algebra, team), options.blockSize())
                    .run(v, quantizer, SweepMask.fixed(mask), first);
            return v;
        }

        /** GPTQ over columns in descending order of the Hessian's diagonal. */
        private Matrix sweptByActivation() {
            ColumnOrder order = ColumnOrder.descending(hessian.matrix());
            Matrix v = order.columnsOf(alive);
            Matrix upper = InverseFactor.upper(algebra, team, order.bothOf(hessian.matrix()));
            new GptqSweep(algebra, team, upper, options.blockSize())
                    .run(v, quantizer, SweepMask.fixed(dense()), new int[v.rows()]);
            return order.restore(v);
        }

        private Matrix rounded(Matrix values, Mask mask) {
            Matrix rounded = Matrix.zeros(values.rows(), values.cols());
            for (int r = 0; r < values.rows(); r++) {
                for (int c = 0; c < values.cols(); c++) {
                    if (mask.keeps(r, c)) {
                        rounded.set(r, c, quantizer.round(r, c, values.at(r, c)));
                    }
                }
            }
            return rounded;
        }

        private CompressedLayer layer(Matrix result, Mask mask, List<String> notes) {
            byte[] codes = new byte[result.values().length];
            for (int r = 0; r < result.rows(); r++) {
                for (int c = 0; c < result.cols(); c++) {
                    codes[r * result.cols() + c] = (byte) quantizer.code(r, c, result.at(r, c));
                }
            }
            return layer(codes, quantizer.scale(), mask, result, notes);
        }

        private CompressedLayer layer(byte[] codes, float[] scale, Mask mask, Matrix result, List<String> notes) {
            ProxyLoss loss = new ProxyLoss(products, input.hessian());
            return new CompressedLayer(
                    codes,
                    scale,
                    quantizer.zero(),
                    mask,
                    result,
                    loss.of(weight, rounded(weight, mask)),
                    loss.of(weight, result),
                    certificate,
                    notes);
        }
    }
}
