package dev.obr.models.chat;

import java.util.List;

/** How a model family writes chat turns as one prompt. */
public interface ChatFormat {
    /** {@code chatml}, {@code llama-3}, ... for people. */
    String name();

    /**
     * The prompt for the assistant's next turn: all messages, then the opening of the assistant's turn. Special tokens are written out; the beginning-of-sequence token is included
     * where the model's own template includes it, so the text is encoded without adding special tokens.
     */
    String prompt(List<ChatMessage> messages);

    /** Pieces that end the assistant's turn, each one token: generation stops at any of them. */
    List<String> endOfTurn();
}
