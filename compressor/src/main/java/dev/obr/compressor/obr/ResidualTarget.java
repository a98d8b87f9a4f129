package dev.obr.compressor.obr;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.Block;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.NotPositiveDefiniteException;
import dev.obr.kernels.linalg.ProductSum;
import dev.obr.kernels.linalg.TiledProducts;
import org.jspecify.annotations.Nullable;

/**
 * Weights whose outputs, on the inputs X that the compressed part of a model gives them, come closest to those of the model as it was, on its own inputs Xd:
 *
 * <pre>
 *   min over W*  of |X W*ᵀ - (Xd Wᵀ + E)|² + d |W* - W|²
 *   W* = W + (W Δ + Eᵀ X) (H + d I)⁻¹        H = Xᵀ X,  Δ = (Xd - X)ᵀ X
 * </pre>
 *
 * <p>E is what the residual stream lacks already, where the layer writes to it, and else none. Compressing W* with H then minimises the distance to those outputs. The moments are
 * of differences, so that nothing cancels in float32; they are scaled as {@link LayerStatistics} scales H.
 */
public final class ResidualTarget {
    private static final double LEAST_DAMPING = 0.01;
    private static final double LARGEST_DAMPING = 10;

    private final String name;
    private final int cols;
    private final LinearAlgebra algebra;
    private final ThreadTeam team;
    private final TiledProducts products;
    private final int outputs;
    private final ProductSum moved; // Δ [cols, cols]
    private final @Nullable ProductSum lacking; // Eᵀ X [outputs, cols]
    private @Nullable Gathered gathered;
    private float[] difference = new float[0];
    private int sequences;

    /** The sums, when they are complete. */
    private record Gathered(Matrix moved, @Nullable Matrix lacking) {}

    /**
     * @param name of the inputs, for messages
     * @param cols the layer's inputs
     * @param outputs width of the residual stream where the layer writes to it, else 0
     */
    public ResidualTarget(String name, int cols, int outputs, LinearAlgebra algebra, ThreadTeam team) {
        this.name = name;
        this.cols = cols;
        this.algebra = algebra;
        this.team = team;
        this.products = new TiledProducts(algebra, team);
        this.outputs = outputs;
        this.moved = products.sum(cols, cols);
        this.lacking = outputs == 0 ? null : products.sum(outputs, cols);
    }

    /**
     * Adds tokens. More may follow in each array.
     *
     * @param x [tokens, cols]
     * @param dense Xd [tokens, cols]
     * @param error E [tokens, outputs]; not looked at where there are no such outputs
     * @throws ObrException at a NaN or infinity in {@code dense} or {@code error}
     */
    public void add(float[] x, float[] dense, float[] error, int tokens) {
        Finite.check(dense, tokens, cols, name + ", not compressed,");
        if (difference.length < tokens * cols) {
            difference = new float[tokens * cols];
        }
        for (int i = 0; i < tokens * cols; i++) {
            difference[i] = dense[i] - x[i];
        }
        Block inputs = new Block(x, 0, cols);
        moved.add(tokens, new Block(difference, 0, cols), inputs);
        if (lacking != null) {
            Finite.check(error, tokens, outputs, name + ": the error of the residual stream");
            lacking.add(tokens, new Block(error, 0, outputs), inputs);
        }
    }

    /** Ends the current sequence. */
    public void endSequence() {
        sequences++;
    }

    /**
     * W* of {@code weight}, which stays as it is. Nothing may be added after.
     *
     * @param weight W [out, cols]; out is the width of the residual stream where the layer writes to it
     * @param input H of the same tokens
     * @param percdamp d as a share of H's mean diagonal; 0.01 is the least
     * @throws ObrException if H is not positive definite whatever is added to its diagonal
     */
    public Matrix of(Matrix weight, LayerInput input, double percdamp) {
        for (double share = Math.max(percdamp, LEAST_DAMPING); share <= LARGEST_DAMPING; share *= 10) {
            try {
                return of(weight, input.damped(share).upper(algebra, team));
            } catch (NotPositiveDefiniteException e) {
                // more damping keeps W* closer to W
            }
        }
        throw new ObrException("the Hessian of " + name + " is not positive definite even with percdamp "
                + LARGEST_DAMPING + "; calibrate again, or use the target layer");
    }

    /** @param inverse U [cols, cols] with (H + d I)⁻¹ = Uᵀ U */
    private Matrix of(Matrix weight, Matrix inverse) {
        Gathered sums = gathered();
        Matrix target = products.multiply(weight, sums.moved); // W Δ
        float factor = 2f / sequences;
        for (int i = 0; i < target.values().length; i++) {
            float sum = sums.lacking == null
                    ? target.values()[i]
                    : target.values()[i] + sums.lacking.values()[i];
            target.values()[i] = factor * sum;
        }
        target = products.multiply(products.multiplyTransposed(target, inverse), inverse);
        for (int i = 0; i < target.values().length; i++) {
            target.values()[i] += weight.values()[i];
        }
        Finite.check(target, "the target of a layer behind " + name);
        return target;
    }

    private Gathered gathered() {
        Gathered complete = gathered;
        if (complete == null) {
            complete = new Gathered(moved.value(), lacking == null ? null : lacking.value());
            gathered = complete;
            moved.close();
            if (lacking != null) {
                lacking.close();
            }
        }
        return complete;
    }
}
