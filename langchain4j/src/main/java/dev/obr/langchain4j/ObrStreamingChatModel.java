package dev.obr.langchain4j;

import dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.util.List;
import java.util.Set;

/**
 * A model in this JVM that answers token by token.
 *
 * <p>A handler is called by a virtual thread of its own, so one that is slow holds up nobody else. {@code context.streamingHandle().cancel()} ends the answer within a token's time, frees its
 * memory, and nothing more is told of it. {@link #close} frees the model, unless it is shared ({@link ObrModel}).
 */
public final class ObrStreamingChatModel implements StreamingChatModel, AutoCloseable {
    private final ChatModelBuilder.Parts parts;

    private ObrStreamingChatModel(ChatModelBuilder.Parts parts) {
        this.parts = parts;
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Begins to answer and returns; what {@link ObrChatModel#doChat} would throw is told to {@code onError}. */
    @Override
    public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
        Thread.ofVirtual().name("obr-answer").start(() -> answer(request, handler));
    }

    private void answer(ChatRequest request, StreamingChatResponseHandler handler) {
        try {
            Answering.begin(parts.model(), request).stream(handler);
        } catch (RuntimeException e) {
            InternalStreamingChatResponseHandlerUtils.withLoggingExceptions(() -> handler.onError(e));
        }
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

    /** How an {@link ObrStreamingChatModel} is made. */
    public static final class Builder extends ChatModelBuilder<Builder> {
        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /** @throws dev.obr.kernels.ObrException if the model cannot be loaded, or is none that chats */
        public ObrStreamingChatModel build() {
            return new ObrStreamingChatModel(parts());
        }
    }
}
