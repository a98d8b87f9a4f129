package dev.obr.compressor.imports;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.hadamard.HadamardMatrix;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.models.ModelConfig;
import dev.obr.models.OnlineRotation;
import dev.obr.models.Weight;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * How a checkpoint was rotated before it was compressed, which decides what the runtime has to do while the model runs.
 *
 * <p>QuaRot (Ashkboos et al. 2024) and SpinQuant (Liu et al. 2024) both move the norms' weights into the linear layers and rotate embedding, head and weights; the runtime rotates the
 * input of down_proj, and queries and keys. QuaRot also rotates the input of o_proj across the heads, and its norm adds 1e-5 whatever the model's own epsilon is.
 */
public enum RotationStyle {
    /** Norms are one-element dummies. */
    QUAROT,
    /** Norms are ones. */
    SPINQUANT,
    /** Norms have weights: nothing is rotated. */
    NONE;

    private static final float QUAROT_EPSILON = 1e-5f;

    /** The name that options, files and tables use. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The style of that name.
     *
     * @throws ObrException if there is none, naming those there are
     */
    public static RotationStyle parse(String label) {
        return Arrays.stream(values())
                .filter(style -> style.label().equals(label))
                .findFirst()
                .orElseThrow(() -> new ObrException("\"" + label + "\" is no rotation of checkpoints: use one of "
                        + Arrays.stream(values()).map(RotationStyle::label).collect(Collectors.joining(", ")) + "."));
    }

    /** The style that a checkpoint's norms show. */
    static RotationStyle of(Checkpoint checkpoint) {
        boolean ones = true;
        for (String name : checkpoint.names()) {
            if (isFusedNorm(name)) {
                Weight norm = checkpoint.weight(name);
                if (norm.elements() == 1) {
                    return QUAROT;
                }
                ones &= isOnes(norm);
            }
        }
        if (!checkpoint.names().contains("model.norm.weight")) {
            return QUAROT;
        }
        return ones ? SPINQUANT : NONE;
    }

    /** Whether a tensor is an RMSNorm whose weights a rotation moves into the linear layers behind it. */
    static boolean isFusedNorm(String name) {
        return name.equals("model.norm.weight") || name.endsWith("layernorm.weight");
    }

    /** Whether every weight of a norm is 1. */
    static boolean isOnes(Weight norm) {
        for (float value : CheckpointRows.vector(norm)) {
            if (value != 1) {
                return false;
            }
        }
        return true;
    }

    /** What is added to the mean square in every RMSNorm. */
    float epsilon(ModelConfig base) {
        return this == QUAROT ? QUAROT_EPSILON : base.rmsNormEpsilon();
    }

    /** What the runtime must do. */
    OnlineRotation online(ModelConfig config) {
        return switch (this) {
            case QUAROT -> new OnlineRotation(true, config.heads() > 1, true);
            case SPINQUANT -> new OnlineRotation(true, false, true);
            case NONE -> OnlineRotation.NONE;
        };
    }

    /**
     * Checks that the runtime's transforms are those that the checkpoint was made for.
     *
     * @throws ObrException where a length has no transform, or a matrix of the checkpoint is another
     */
    void check(Checkpoint checkpoint, ModelConfig config) {
        OnlineRotation online = online(config);
        for (String name : checkpoint.names()) {
            if (this != NONE && isFusedNorm(name)) {
                Weight norm = checkpoint.weight(name);
                if (norm.elements() != 1 && !isOnes(norm)) {
                    throw new ObrException(checkpoint.source() + ": " + name
                            + " has weights, but rotation " + label()
                            + " moves them into the linear layers behind it; use --rotation none");
                }
            }
        }
        if (online.queryKey()) {
            transform(checkpoint, "components of a head", config.headDim());
        }
        for (int layer = 0; layer < config.layers(); layer++) {
            String prefix = "model.layers." + layer + ".";
            if (online.downInput()) {
                HadamardTransform down = transform(checkpoint, "inputs of down_proj", config.intermediateSize());
                checkMatrix(checkpoint, prefix + "mlp.down_proj", down.factor());
            }
            if (online.headsInput()) {
                checkMatrix(
                        checkpoint,
                        prefix + "self_attn.o_proj",
                        heads(checkpoint, config).factor());
            } else if (checkpoint.hadamard(prefix + "self_attn.o_proj").isPresent()) {
                throw new ObrException(checkpoint.source() + ": " + prefix
                        + "self_attn.o_proj has a Hadamard matrix, which only QuaRot's checkpoints have; use --rotation"
                        + " quarot");
            }
            if (this == NONE && checkpoint.hadamard(prefix + "mlp.down_proj").isPresent()) {
                throw new ObrException(checkpoint.source() + ": " + prefix
                        + "mlp.down_proj has a Hadamard matrix, so the checkpoint is rotated, but its norms have"
                        + " weights; name its rotation with --rotation");
            }
        }
    }

    /**
     * The transform across heads. The weights of o_proj are rotated by the transform of their whole width, which the runtime splits into one inside and one across the heads: the same
     * only if both take the same dense factor.
     */
    private HadamardTransform heads(Checkpoint checkpoint, ModelConfig config) {
        HadamardTransform heads = transform(checkpoint, "attention heads", config.heads());
        HadamardTransform whole = transform(checkpoint, "inputs of o_proj", config.queryWidth());
        if (heads.factor().order() != whole.factor().order() || Integer.bitCount(config.headDim()) != 1) {
            throw new ObrException(checkpoint.source() + ": QuaRot cannot rotate " + config.heads() + " heads of "
                    + config.headDim() + " components apart; check --base, or name another --rotation");
        }
        return heads;
    }

    private HadamardTransform transform(Checkpoint checkpoint, String what, int length) {
        return HadamardTransform.of(length)
                .orElseThrow(() -> new ObrException(checkpoint.source() + ": rotation " + label() + " needs a Hadamard"
                        + " transform of " + length + " " + what + ", and there is none; check --base, or name another"
                        + " --rotation"));
    }

    /** The checkpoint stores the dense factor of a transform where it has one. */
    private static void checkMatrix(Checkpoint checkpoint, String linear, HadamardMatrix expected) {
        checkpoint.hadamard(linear).ifPresent(stored -> {
            if (!matches(stored, expected)) {
                throw new ObrException(checkpoint.source() + ": " + linear + ".had_K " + stored.shape()
                        + " is not the Hadamard matrix of order " + expected.order()
                        + " that this program rotates with; the checkpoint cannot be run");
            }
        });
    }

    private static boolean matches(Weight stored, HadamardMatrix expected) {
        int order = expected.order();
        if (stored.shape().size() != 2
                || stored.shape().get(0) != order
                || stored.shape().get(1) != order) {
            return false;
        }
        WeightMatrix matrix = stored.matrix();
        Matrix entries = CheckpointRows.of(matrix, 0, order);
        for (int r = 0; r < order; r++) {
            for (int c = 0; c < order; c++) {
                if (entries.at(r, c) != expected.at(r, c)) {
                    return false;
                }
            }
        }
        return true;
    }
}
