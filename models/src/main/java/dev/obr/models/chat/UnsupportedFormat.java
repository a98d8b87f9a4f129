package dev.obr.models.chat;

import dev.obr.kernels.ObrException;
import java.util.List;

/**
 * A chat template that can't be followed. The model generates text all the same; asking for a chat prompt is an error.
 *
 * @param reason the beginning of a sentence for people
 */
record UnsupportedFormat(String reason) implements ChatFormat {
    @Override
    public String name() {
        return "unsupported";
    }

    /** @throws ObrException always */
    @Override
    public String prompt(List<ChatMessage> messages) {
        throw new ObrException(reason + "; write the prompt as the model expects it and generate without chat");
    }

    @Override
    public List<String> endOfTurn() {
        return List.of();
    }
}
