package dev.obr.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import java.util.List;
import java.util.Set;

/**
 * A model in this JVM that answers in one piece.
 *
 * <pre>{@code
 * try (ObrChatModel model = ObrChatModel.builder().modelPath(Path.of("SmolLM2-135M-Instruct.gguf")).build()) {
 *     System.out.println(model.chat("What is the capital of France?"));
 * }
 * }</pre>
 *
 * <p>Safe to share between threads: what is asked at the same time is computed together. {@link #close} frees the model, unless it is shared ({@link ObrModel}).
 */
public final class ObrChatModel implements ChatModel, AutoCloseable {
    private final ChatModelBuilder.Parts parts;

    private ObrChatModel(ChatModelBuilder.Parts parts) {
        this.parts = parts;
    }

    public static Builder builder() {
        return new Builder();
    }

    /**
     * Answers, with the calling thread waiting.
     *
     * @throws dev.langchain4j.exception.InvalidRequestException if the request cannot be answered: the prompt is too long, a value out of its range, a schema not supported
     * @throws dev.langchain4j.exception.UnsupportedFeatureException if it asks for what no model here does: images, presence and frequency penalties
     * @throws dev.langchain4j.exception.RateLimitException if as many requests wait as may
     */
    @Override
    public ChatResponse doChat(ChatRequest request) {
        return Answering.begin(parts.model(), request).whole();
    }

    @Override
    public ChatRequestParameters defaultRequestParameters() {
        return parts.defaults();
    }

    @Override
    public List<ChatModelListener> listeners() {
        return parts.listeners();
    }

    @Override
    public Set<Capability> supportedCapabilities() {
        return Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA);
    }

    @Override
    public void close() {
        parts.close();
    }

    /** How an {@link ObrChatModel} is made. */
    public static final class Builder extends ChatModelBuilder<Builder> {
        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /** @throws dev.obr.kernels.ObrException if the model cannot be loaded, or is none that chats */
        public ObrChatModel build() {
            return new ObrChatModel(parts());
        }
    }
}
