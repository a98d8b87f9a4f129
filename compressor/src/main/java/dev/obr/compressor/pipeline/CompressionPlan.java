package dev.obr.compressor.pipeline;

import dev.obr.compressor.calibration.CalibrationWindows;
import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.permutation.Permute;
import dev.obr.compressor.rotation.Rotation;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.Model;
import dev.obr.models.Quantization;
import dev.obr.models.Quantization.ActivationClip;
import dev.obr.models.Quantization.WeightFormat;

/**
 * What is done to a model.
 *
 * @param linear how each linear layer of the decoder is compressed
 * @param target what its outputs are to come close to
 * @param permute whether linear layers may take their inputs in another order
 * @param rotation of the model before that
 * @param windows of text that the model is calibrated on
 * @param calibration what that text is, for people
 * @param activationBits that the packed model is made to run with: 4, 8 or 16
 * @param activationClip of 4-bit activations
 * @param kvBits that keys and values are meant to be cached in: 4, 8 or 16
 * @param headBits of the LM head's codes: 4 or 8, or 16 for half floats
 * @param seed of rotation and calibration
 * @param toolVersion for the packed model
 * @param stateBytes of hidden states that are kept in memory; beyond that they lie in a file that is mapped
 */
public record CompressionPlan(
        CompressionOptions linear,
        Target target,
        Permute permute,
        Rotation rotation,
        CalibrationWindows windows,
        String calibration,
        int activationBits,
        ActivationClip activationClip,
        int kvBits,
        int headBits,
        long seed,
        String toolVersion,
        long stateBytes) {
    public CompressionPlan {
        if (headBits != 4 && headBits != 8 && headBits != 16) {
            throw new ObrException("The head is kept in 4, 8 or 16 bits, not " + headBits + ".");
        }
        if (linear.bits() > 4 && linear.bits() != 8 || !linear.symmetric()) {
            throw new ObrException("Packed models hold symmetric codes of up to 4 bits, or of 8, not "
                    + (linear.symmetric() ? "" : "asymmetric ones of ") + linear.bits() + " bits.");
        }
        if (permute == Permute.ON && (linear.dense() || !linear.pattern().grouped())) {
            throw new ObrException("An order of columns is of use only to patterns that count them in groups, not to "
                    + (linear.dense() ? Pattern.DENSE : linear.pattern()) + "; leave it to be chosen (auto).");
        }
    }

    /** Hidden states that {@link #of} keeps in memory. */
    private static final long STATE_BYTES = 4L << 30;

    /**
     * What the command line does where nothing else is asked for: QuaRot's rotation, 4-bit activations, keys and values, an 8-bit head.
     *
     * @param calibration what the windows' text is, for people
     */
    public static CompressionPlan of(
            Preset preset, Pattern pattern, Model model, CalibrationWindows windows, String calibration) {
        CompressionOptions linear = preset.linear().withPattern(pattern);
        String version = CompressionPlan.class.getPackage().getImplementationVersion();
        return new CompressionPlan(
                linear,
                preset.target(),
                preset.permute(),
                Rotation.quarot(model.config(), linear.seed(), false),
                windows,
                calibration,
                4,
                ActivationClip.SEARCH,
                4,
                8,
                linear.seed(),
                version == null ? "(development build)" : version,
                STATE_BYTES);
    }

    /** The pattern that weights are packed in: the masks', or dense where the method prunes nothing. */
    public Pattern pattern() {
        return linear.dense() ? Pattern.DENSE : linear.pattern();
    }

    /** Whether the LM head is packed: it is not tied to the embedding then. */
    public boolean packsHead() {
        return headBits < 16;
    }

    /** Bits that a code is stored in. */
    public int codeBits() {
        return linear.bits() == 8 ? 8 : 4;
    }

    /** What the packed model says of itself. */
    public Quantization quantization() {
        boolean chosen = pattern() == Pattern.UNSTRUCTURED;
        return new Quantization(
                Quantization.FORMAT_VERSION,
                codeBits(),
                pattern(),
                WeightFormat.ofHead(headBits),
                chosen ? linear.sparsity() : pattern() == Pattern.DENSE ? 0 : 0.5,
                linear.method().label(),
                rotation.name(),
                rotation.online(),
                activationBits,
                activationClip,
                kvBits,
                calibration,
                seed,
                toolVersion);
    }
}
