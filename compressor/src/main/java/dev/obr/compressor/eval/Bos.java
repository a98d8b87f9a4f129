package dev.obr.compressor.eval;

import dev.obr.kernels.ObrException;
import dev.obr.models.tokenizer.Tokenizer;
import dev.obr.runtime.LanguageModel;

/** Whether a beginning-of-sequence token stands in front of every text that a model is measured on. */
public enum Bos {
    /** Where the model's own tokenizer puts one, for then the model was trained so. */
    AUTO,
    ON,
    OFF;

    /** Where no token stands in front. */
    public static final int NONE = -1;

    /**
     * The token, or {@link #NONE}.
     *
     * @throws ObrException if {@link #ON} and the model has no such token
     */
    public int token(LanguageModel model) {
        int own = ofTokenizer(model.tokenizer());
        return switch (this) {
            case AUTO -> own;
            case OFF -> NONE;
            case ON -> {
                int token = own == NONE ? model.config().bosTokenId() : own;
                if (token == NONE) {
                    throw new ObrException("The model " + model.name()
                            + " has no beginning-of-sequence token: measure it with --bos off or auto.");
                }
                yield token;
            }
        };
    }

    private static int ofTokenizer(Tokenizer tokenizer) {
        int[] surrounded = tokenizer.encode("a", true);
        int[] plain = tokenizer.encode("a", false);
        return surrounded.length > plain.length && surrounded[0] != plain[0] ? surrounded[0] : NONE;
    }
}
