package dev.obr.compressor.eval;

/** How a text is cut into windows, and which of a window's tokens are scored. */
public enum Protocol {
    /**
     * As GPTQ, SparseGPT, QuaRot and OBR evaluate: windows of 2048 tokens, one after the other, a rest shorter than a window dropped, every prediction scored. A
     * beginning-of-sequence token, where asked for, takes the first place of each window.
     */
    OBR(2048),

    /**
     * As {@code llama-perplexity} evaluates: windows of 512 tokens, of which the second half is scored; a beginning-of-sequence token, where asked for, replaces the first token of
     * each window. Texts of less than two windows are refused.
     */
    LLAMA(512);

    private final int defaultWindow;

    Protocol(int defaultWindow) {
        this.defaultWindow = defaultWindow;
    }

    /** {@code obr} or {@code llama}. */
    public String label() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    /** Tokens of a window where nothing else is asked for, for a model of this context length. */
    public int window(int contextLength) {
        return Math.min(defaultWindow, contextLength);
    }
}
