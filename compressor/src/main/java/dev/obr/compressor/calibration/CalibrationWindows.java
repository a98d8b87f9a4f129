package dev.obr.compressor.calibration;

import dev.obr.compressor.random.PythonRandom;
import dev.obr.kernels.ObrException;
import java.util.Arrays;

/**
 * The windows of a text that calibration runs the model on, drawn as the OBR, QuaRot and SparseGPT code draws them: uniformly, overlaps allowed, by CPython's generator.
 *
 * @param length tokens of each window
 * @param starts where each begins in {@code tokens}
 * @param tokens of the whole text
 */
public record CalibrationWindows(int length, int[] starts, int[] tokens) {
    private static final int MOST_SAMPLES = 100_000; // 128 are usual

    /**
     * Draws windows of {@code min(seqlen, context)} tokens.
     *
     * @param source where the tokens come from, for messages
     * @param samples how many windows, at least 1
     * @param seqlen tokens that a window should have
     * @param context tokens that the model was made for
     * @throws ObrException where the text is too short for one window
     */
    public static CalibrationWindows draw(
            int[] tokens, String source, int samples, int seqlen, int context, long seed) {
        if (samples < 1 || samples > MOST_SAMPLES || seqlen < 1) {
            throw new ObrException("calibration takes 1 to " + MOST_SAMPLES
                    + " samples of at least 1 token, not " + samples + " of " + seqlen
                    + "; correct --samples or --seqlen");
        }
        int length = Math.min(seqlen, context);
        if (tokens.length <= length) {
            throw new ObrException(source + " has " + tokens.length + " tokens, but calibration with windows of "
                    + length + " needs at least " + (length + 1L) + "; give a longer text or a smaller --seqlen");
        }
        PythonRandom random = new PythonRandom(seed);
        int[] starts = new int[samples];
        for (int i = 0; i < samples; i++) {
            starts[i] = random.below(tokens.length - length);
        }
        return new CalibrationWindows(length, starts, tokens);
    }

    /** How many windows there are. */
    public int count() {
        return starts.length;
    }

    /** The tokens of window {@code i}. */
    public int[] window(int i) {
        return Arrays.copyOfRange(tokens, starts[i], starts[i] + length);
    }
}
