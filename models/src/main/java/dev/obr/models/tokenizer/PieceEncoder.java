package dev.obr.models.tokenizer;

/** Encodes text that holds no special tokens. Safe to share between threads. */
interface PieceEncoder {
    /**
     * Appends the tokens of {@code text} to {@code tokens}.
     *
     * @param text the whole input or the part between two special tokens; not empty, without unpaired surrogates
     */
    void encode(String text, TokenList tokens);
}
