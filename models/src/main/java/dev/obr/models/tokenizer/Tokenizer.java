package dev.obr.models.tokenizer;

/**
 * Text to token ids and back. Safe to share between threads.
 *
 * <p>A token stands for bytes, not characters: an emoji may take several tokens, so streaming decoders collect {@link #bytes} until they form whole UTF-8 code points
 * ({@link TextStream}).
 */
public interface Tokenizer extends AutoCloseable {
    /**
     * The tokens of {@code text}. Special tokens written out in the text ({@code <|im_start|>}) are recognised.
     *
     * @param addSpecialTokens whether to add what the model expects around a text, such as the beginning-of-sequence token
     */
    int[] encode(String text, boolean addSpecialTokens);

    /** The bytes that token {@code id} stands for in running text; none for control tokens such as end of sequence. */
    byte[] bytes(int id);

    /** How token {@code id} is written in the vocabulary, control tokens included. */
    String piece(int id);

    /** The id of the token written {@code piece}, or -1. */
    int id(String piece);

    /** Number of token ids. */
    int vocabularySize();

    /** Whether the space that begins a decoded text is an artefact of encoding (SentencePiece vocabularies) and is dropped. */
    boolean dropsLeadingSpace();

    /** The text of {@code ids}; control tokens give nothing, malformed UTF-8 gives U+FFFD. */
    default String decode(int[] ids) {
        TextStream stream = new TextStream(this);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(stream.append(id));
        }
        return text.append(stream.finish()).toString();
    }

    /** Frees native memory; the tokenizer is unusable afterwards. */
    @Override
    default void close() {}
}
