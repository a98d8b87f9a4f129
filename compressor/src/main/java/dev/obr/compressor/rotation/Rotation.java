package dev.obr.compressor.rotation;

import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.models.ModelConfig;
import dev.obr.models.OnlineRotation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A change of basis that leaves a model's results as they are: which rotation each of its tensors takes. Pure functions of one tensor at a time, computed in float64 and rounded
 * once.
 *
 * <p>QuaRot (Ashkboos et al. 2024, arXiv 2404.00456), activations as row vectors x, a linear layer as x Wᵀ:
 *
 * <pre>
 *   embedding E, head         E ← E R1,  head ← head diag(g) R1                            g: weights of the RMSNorm before it, which become 1
 *   q k v gate up             W ← W diag(g) R1
 *   o down                    W ← R1ᵀ W, bias ← R1ᵀ bias
 *   v, inside each head       W ← (I ⊗ T_head) W, bias likewise                            T_n: {@link HadamardTransform} of length n
 *   o                         W ← W (T_heads ⊗ T_head)ᵀ                                    T_heads online, {@link OnlineRotation#headsInput}
 *   down                      W ← W T_intermediateᵀ                                        online, {@link OnlineRotation#downInput}
 *   queries and keys          nothing: both turn by T_head after RoPE                      online, {@link OnlineRotation#queryKey}
 * </pre>
 *
 * <p>A length that has no transform is left out, and {@link #skipped} says so: 9 heads are rotated inside each head only.
 */
public final class Rotation {
    /** Columns of W that are rotated from the left at a time: their double copies stay small. */
    private static final int COLUMNS = 64;

    private final String name;
    private final int headDim;
    private final boolean fusesNorms;
    private final boolean subtractsMean;
    private final @Nullable RandomHadamard hidden;
    private final @Nullable HadamardTransform head;
    private final @Nullable HadamardTransform heads;
    private final @Nullable HadamardTransform intermediate;
    private final List<String> skipped;

    private Rotation(
            String name,
            int headDim,
            boolean fusesNorms,
            boolean subtractsMean,
            @Nullable RandomHadamard hidden,
            @Nullable HadamardTransform head,
            @Nullable HadamardTransform heads,
            @Nullable HadamardTransform intermediate,
            List<String> skipped) {
        this.name = name;
        this.headDim = headDim;
        this.fusesNorms = fusesNorms;
        this.subtractsMean = subtractsMean;
        this.hidden = hidden;
        this.head = head;
        this.heads = heads;
        this.intermediate = intermediate;
        this.skipped = List.copyOf(skipped);
    }

    /** Every tensor as it is. */
    public static Rotation none() {
        return new Rotation("none", 1, false, false, null, null, null, null, List.of());
    }

    /**
     * QuaRot's rotation of a model.
     *
     * @param seed of R1's signs
     * @param subtractEmbeddingMean whether each row of the embedding loses its mean first, as the published code does; that changes the results a little
     */
    public static Rotation quarot(ModelConfig config, long seed, boolean subtractEmbeddingMean) {
        List<String> skipped = new ArrayList<>();
        HadamardTransform width = transform(config.hiddenSize(), "the hidden state", skipped);
        return new Rotation(
                "quarot",
                config.headDim(),
                true,
                subtractEmbeddingMean,
                width == null ? null : new RandomHadamard(width, seed),
                transform(config.headDim(), "the components of a head", skipped),
                config.heads() == 1 ? null : transform(config.heads(), "the attention heads", skipped),
                transform(config.intermediateSize(), "the input of down_proj", skipped),
                skipped);
    }

    private static @Nullable HadamardTransform transform(int n, String what, List<String> skipped) {
        Optional<HadamardTransform> transform = HadamardTransform.of(n);
        if (transform.isEmpty()) {
            skipped.add(what + " (" + n + ") is not rotated: no Hadamard transform has this length");
        }
        return transform.orElse(null);
    }

    /** {@code quarot} or {@code none}. */
    public String name() {
        return name;
    }

    /** What the runtime must do while the model runs. */
    public OnlineRotation online() {
        return new OnlineRotation(intermediate != null, heads != null, head != null);
    }

    /** What is left out because its length has no transform, one sentence each. */
    public List<String> skipped() {
        return skipped;
    }

    /** Whether the weights of the RMSNorms move into the linear layers behind them, so that embedding and head cease to be tied. */
    public boolean fusesNorms() {
        return fusesNorms;
    }

    /** Whether each row of the embedding loses its mean first. */
    public boolean subtractsMean() {
        return subtractsMean;
    }

    /**
     * A linear layer of the decoder.
     *
     * @param projection which: {@code q_proj}, {@code k_proj}, {@code v_proj}, {@code o_proj}, {@code gate_proj}, {@code up_proj} or {@code down_proj}
     * @param w [out, in], left as it is
     * @param norm weights [in] of the RMSNorm whose output the layer reads; null for o_proj and down_proj
     * @return the rotated W [out, in], a matrix of its own
     */
    public Matrix linear(Projection projection, Matrix w, float @Nullable [] norm) {
        Matrix rotated = w.copy();
        double[] row = new double[w.cols()];
        for (int r = 0; r < w.rows(); r++) {
            for (int c = 0; c < row.length; c++) {
                row[c] = w.at(r, c);
            }
            rotateInput(projection, row, norm);
            for (int c = 0; c < row.length; c++) {
                rotated.set(r, c, (float) row[c]);
            }
        }
        rotateOutput(projection, rotated);
        return rotated;
    }

    /** The bias [out] of a linear layer, which turns with the layer's output. */
    public float[] bias(Projection projection, float[] bias) {
        Matrix column = new Matrix(bias.length, 1, bias.clone());
        rotateOutput(projection, column);
        return column.values();
    }

    /** Rows of the embedding [tokens, hidden], in place. */
    public void embedding(Matrix rows) {
        double[] row = new double[rows.cols()];
        for (int r = 0; r < rows.rows(); r++) {
            double sum = 0;
            for (int c = 0; c < row.length; c++) {
                row[c] = rows.at(r, c);
                sum += row[c];
            }
            if (subtractsMean) {
                for (int c = 0; c < row.length; c++) {
                    row[c] -= sum / row.length;
                }
            }
            rotateHidden(row);
            for (int c = 0; c < row.length; c++) {
                rows.set(r, c, (float) row[c]);
            }
        }
    }

    /**
     * Rows of the LM head [tokens, hidden], in place.
     *
     * @param norm weights [hidden] of the final RMSNorm
     */
    public void head(Matrix rows, float[] norm) {
        double[] row = new double[rows.cols()];
        for (int r = 0; r < rows.rows(); r++) {
            for (int c = 0; c < row.length; c++) {
                row[c] = rows.at(r, c);
            }
            scale(row, norm);
            rotateHidden(row);
            for (int c = 0; c < row.length; c++) {
                rows.set(r, c, (float) row[c]);
            }
        }
    }

    /** The weights of an RMSNorm before linear layers, which took them over: all 1. Norms of queries and keys are not among them. */
    public float[] norm(float[] weights) {
        float[] left = weights.clone();
        if (fusesNorms) {
            Arrays.fill(left, 1);
        }
        return left;
    }

    private void rotateInput(Projection projection, double[] row, float @Nullable [] norm) {
        switch (projection) {
            case QUERY, KEY, VALUE, GATE, UP -> {
                if (norm == null) {
                    throw new IllegalArgumentException(
                            projection + " reads a normalised state: its weights are missing");
                }
                scale(row, norm);
                rotateHidden(row);
            }
            case OUTPUT -> {
                if (head != null) {
                    for (int offset = 0; offset < row.length; offset += headDim) {
                        head.applyAcross(row, offset, 1);
                    }
                }
                if (heads != null) {
                    heads.applyAcross(row, 0, headDim);
                }
            }
            case DOWN -> {
                if (intermediate != null) {
                    intermediate.applyAcross(row, 0, 1);
                }
            }
        }
    }

    private void rotateOutput(Projection projection, Matrix w) {
        switch (projection) {
            case QUERY, KEY, GATE, UP -> {}
            case VALUE -> {
                HadamardTransform inHead = head;
                if (inHead != null) {
                    int rows = inHead.size();
                    forColumns(w, (block, width) -> {
                        for (int first = 0; first < w.rows(); first += rows) {
                            inHead.applyAcross(block, first * width, width);
                        }
                    });
                }
            }
            case OUTPUT, DOWN -> {
                RandomHadamard r1 = hidden;
                if (r1 != null) {
                    forColumns(w, (block, width) -> r1.apply(block, 0, width));
                }
            }
        }
    }

    private void scale(double[] row, float[] norm) {
        if (fusesNorms) {
            for (int c = 0; c < row.length; c++) {
                row[c] *= norm[c];
            }
        }
    }

    private void rotateHidden(double[] row) {
        if (hidden != null) {
            hidden.apply(row, 0, 1);
        }
    }

    /** Turns columns [rows, width] of a matrix. */
    @FunctionalInterface
    private interface ColumnTurn {
        void apply(double[] block, int width);
    }

    /** Takes {@value #COLUMNS} columns of w at a time through {@code turn}, in place. */
    private static void forColumns(Matrix w, ColumnTurn turn) {
        for (int first = 0; first < w.cols(); first += COLUMNS) {
            int width = Math.min(COLUMNS, w.cols() - first);
            double[] block = new double[w.rows() * width];
            for (int r = 0; r < w.rows(); r++) {
                for (int c = 0; c < width; c++) {
                    block[r * width + c] = w.at(r, first + c);
                }
            }
            turn.apply(block, width);
            for (int r = 0; r < w.rows(); r++) {
                for (int c = 0; c < width; c++) {
                    w.set(r, first + c, (float) block[r * width + c]);
                }
            }
        }
    }
}
