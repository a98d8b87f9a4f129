package dev.obr.cli;

import dev.obr.compressor.mask.MaskMetric;
import dev.obr.compressor.obr.AlphaRule;
import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.obr.Method;
import dev.obr.compressor.obr.ScalerVariant;
import dev.obr.compressor.obr.Solver;
import dev.obr.compressor.pipeline.Preset;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How a linear layer is compressed. */
final class LayerOptions {
    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--method",
            paramLabel = "NAME",
            description =
                    "obr-plus, obr-rtn, obr-gptq, rtn, gptq, wanda+rtn, sparsegpt+gptq or quant-only. Default: obr-plus.")
    private @Nullable String method;

    @Option(
            names = "--pattern",
            paramLabel = "NAME",
            defaultValue = "unstructured",
            description =
                    "Where weights are pruned: unstructured, 2:4, 4:8, 32:64, 4:8p or dense. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String pattern;

    @Option(
            names = "--sparsity",
            paramLabel = "SHARE",
            description =
                    "Share of each row that is pruned, unstructured; the other patterns prune half. Default: 0.5.")
    private @Nullable Double sparsity;

    @Option(
            names = "--mask",
            paramLabel = "NAME",
            defaultValue = "wanda",
            description =
                    "What pruning goes by (but in obr-plus, which searches): wanda, magnitude, random or sparsegpt. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String mask;

    @Option(
            names = "--alpha",
            paramLabel = "SHARE",
            defaultValue = "0.5",
            description =
                    "Share of the columns that is rounded before the rest takes their error. Default: ${DEFAULT-VALUE}.")
    private double alpha;

    @Option(
            names = "--alpha-rule",
            paramLabel = "column|kept",
            defaultValue = "column",
            description =
                    "Count alpha in columns, or in kept weights of each row as the paper prints it. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private AlphaRule alphaRule;

    @Option(
            names = "--percdamp",
            paramLabel = "SHARE",
            defaultValue = "0.01",
            description = "What the Hessian's diagonal is raised by, of its mean. Default: ${DEFAULT-VALUE}.")
    private double percdamp;

    @Option(
            names = "--bits",
            paramLabel = "N",
            defaultValue = "4",
            description = "Bits of a weight, 2 to 8. Default: ${DEFAULT-VALUE}.")
    private int bits;

    @ArgGroup
    private @Nullable Symmetry symmetry;

    @Option(
            names = "--w-clip",
            negatable = true,
            description = "Search each row's range for the one of least error, or not. The default is to search.")
    private @Nullable Boolean clip;

    @Option(
            names = "--blocksize",
            paramLabel = "N",
            defaultValue = "128",
            description = "Columns of a block in GPTQ and SparseGPT. Default: ${DEFAULT-VALUE}.")
    private int blockSize;

    @Option(names = "--act-order", description = "gptq: columns of large inputs first.")
    private boolean actOrder;

    @Option(
            names = "--scaler",
            paramLabel = "quarot|spinquant",
            defaultValue = "quarot",
            description =
                    "How wanda's input norms are averaged: early samples weigh more, or all the same. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ScalerVariant scaler;

    @Option(
            names = "--solver",
            paramLabel = "cholesky|pcg|auto",
            defaultValue = "auto",
            description =
                    "How rows are solved: exactly, or by conjugate gradients to a certified bound; auto is the one that is modelled to be faster, which it says, exact up to 2048 columns. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Solver solver;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            description = "Seed of random masks. Default: ${DEFAULT-VALUE}.")
    private long seed;

    /** Which of two grids. */
    private static final class Symmetry {
        @Option(names = "--sym", description = "Codes symmetric around zero. This is the default.")
        @SuppressWarnings("UnusedVariable") // what --asym excludes
        private boolean symmetric;

        @Option(names = "--asym", description = "Codes with a zero point.")
        private boolean asymmetric;
    }

    /**
     * What was asked for, and the rest from {@code preset}.
     *
     * @throws ParameterException if a value is out of range, or two options contradict each other
     */
    CompressionOptions options(Preset preset) {
        try {
            Pattern where = Pattern.parse(pattern);
            if (sparsity != null && where != Pattern.UNSTRUCTURED) {
                double own = where == Pattern.DENSE ? 0 : 0.5;
                if (sparsity != own) {
                    throw new ObrException("--sparsity " + sparsity + " does not go with --pattern " + where
                            + ", which prunes " + (own == 0 ? "nothing" : "half"));
                }
            }
            CompressionOptions base = preset.linear();
            return base.withMethod(method == null ? base.method() : Method.parse(method))
                    .withPattern(where)
                    .withSparsity(sparsity == null ? 0.5 : sparsity)
                    .withMetric(MaskMetric.parse(mask))
                    .withAlpha(alpha)
                    .withAlphaRule(alphaRule)
                    .withPercdamp(percdamp)
                    .withBits(bits)
                    .withSymmetric(symmetry == null || !symmetry.asymmetric)
                    .withWeightClip(clip == null ? base.weightClip() : clip)
                    .withBlockSize(blockSize)
                    .withActOrder(actOrder)
                    .withScaler(scaler)
                    .withSolver(solver)
                    .withSeed(seed);
        } catch (ObrException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }
}
