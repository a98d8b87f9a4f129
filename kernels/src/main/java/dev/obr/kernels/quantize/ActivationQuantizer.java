package dev.obr.kernels.quantize;

/**
 * Symmetric codes of one token's activations, with one scale:
 *
 * <pre>
 *   scale = fp16(clip · max|x| / q)        q = 2^(bits-1) - 1;  1 where all are 0
 *   code  = clamp(rint(x / scale), -q - 1, q)
 * </pre>
 *
 * <p>Four bits leave few steps, so that a clip below 1 (the largest values are cut off, all others stand on a finer grid) often loses less: a searched clip takes the one of
 * 1, 0.8, 0.65 and 0.5 with the least squared error, the largest of equals. Eight bits are not clipped.
 *
 * @param bits of a code, 4 or 8
 * @param clip in (0, 1], or {@link #SEARCH}
 */
public record ActivationQuantizer(int bits, float clip) {
    /** The clip is searched for each token. */
    public static final float SEARCH = 0;

    private static final float[] SEARCHED = {1, 0.8f, 0.65f, 0.5f};
    private static final int LANES = 8;
    private static final float LARGEST_HALF = 65504;

    public ActivationQuantizer {
        if (bits != 4 && bits != 8) {
            throw new IllegalArgumentException("activations are coded in 4 or 8 bits, not " + bits);
        }
        if (!(clip >= 0 && clip <= 1)) {
            throw new IllegalArgumentException("no activation is clipped at " + clip);
        }
    }

    /** The largest code; the least is one further from 0. */
    public int most() {
        return (1 << bits - 1) - 1;
    }

    /**
     * Quantises {@code x[at .. at + n)} in place: the codes, as whole numbers.
     *
     * @return the scale, which a half float holds exactly
     */
    public float quantize(float[] x, int at, int n) {
        float scale = scale(x, at, n);
        int q = most();
        for (int i = at; i < at + n; i++) {
            x[i] = code(x[i], scale, q);
        }
        return scale;
    }

    /** What the scale of one token's activations x is found by. */
    public interface Token {
        /** max |x|; no number if one of them is none. */
        float largest();

        /** Σ (x - scale · code)², less the Σ x² that all scales have in common. */
        double squaredError(float scale, int most);
    }

    /** The scale by which {@code x[at .. at + n)} is quantised. */
    public float scale(float[] x, int at, int n) {
        return scale(new Token() {
            @Override
            public float largest() {
                float largest = 0;
                for (int i = at; i < at + n; i++) {
                    largest = Math.max(largest, Math.abs(x[i]));
                }
                return largest;
            }

            @Override
            public double squaredError(float scale, int most) {
                return ActivationQuantizer.squaredError(x, at, n, scale, most);
            }
        });
    }

    /** The scale by which a token is quantised. */
    public float scale(Token token) {
        float largest = token.largest();
        int q = most();
        float scale = scale(largest * (bits == 4 && clip != SEARCH ? clip : 1), q);
        if (bits == 4 && clip == SEARCH) {
            double least = Double.POSITIVE_INFINITY;
            for (float candidate : SEARCHED) {
                float step = scale(largest * candidate, q);
                double error = token.squaredError(step, q);
                if (error < least) {
                    least = error;
                    scale = step;
                }
            }
        }
        return scale;
    }

    /** The code of one activation under that scale. */
    public float code(float x, float scale) {
        return code(x, scale, most());
    }

    private static float scale(float largest, int q) {
        float scale = Math.min(Float.float16ToFloat(Float.floatToFloat16(largest / q)), LARGEST_HALF);
        return scale == 0 ? 1 : scale;
    }

    /** scale² Σ code² - 2 scale Σ x code. The second sum is taken in lanes, as vector instructions take it: which of two scales is chosen must not depend on them. */
    private static double squaredError(float[] x, int at, int n, float scale, int q) {
        double[] products = new double[LANES];
        long squares = 0;
        for (int i = 0; i < n; i++) {
            float code = code(x[at + i], scale, q);
            products[i % LANES] += (double) x[at + i] * code;
            squares += (long) (code * code);
        }
        double product = 0;
        for (double lane : products) {
            product += lane;
        }
        return (double) scale * scale * squares - 2 * (double) scale * product;
    }

    private static float code(float x, float scale, int q) {
        return Math.clamp((float) Math.rint(x / scale), -q - 1, q);
    }
}
