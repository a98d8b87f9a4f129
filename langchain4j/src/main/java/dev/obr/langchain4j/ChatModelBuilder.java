package dev.obr.langchain4j;

import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.obr.kernels.ObrException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What chat models are made of: a model, their own or shared, and what is asked of it where a request says nothing.
 *
 * @param <B> the builder itself
 */
public abstract class ChatModelBuilder<B extends ChatModelBuilder<B>> {
    /**
     * What was built.
     *
     * @param owned whether {@code model} is closed with the chat model
     */
    record Parts(ObrModel model, boolean owned, ChatRequestParameters defaults, List<ChatModelListener> listeners) {
        void close() {
            if (owned) {
                model.close();
            }
        }
    }

    private final ObrModel.Builder opening = ObrModel.builder();
    private final ObrChatRequestParameters.Builder own = ObrChatRequestParameters.builder();
    private ChatRequestParameters defaults = own.build();
    private List<ChatModelListener> listeners = List.of();
    private @Nullable ObrModel shared;
    private boolean opens;

    ChatModelBuilder() {}

    abstract B self();

    /** A loaded model, which may be shared and is not closed with the chat model. */
    public B model(ObrModel model) {
        this.shared = model;
        return self();
    }

    /** A Hugging Face folder, a packed model's folder or a GGUF file, loaded for this chat model alone and closed with it. */
    public B modelPath(Path modelPath) {
        opening.modelPath(modelPath);
        return opens();
    }

    /** As {@link ObrModel.Builder#device}, beside {@link #modelPath}. */
    public B device(String device) {
        opening.device(device);
        return opens();
    }

    /** As {@link ObrModel.Builder#context}, beside {@link #modelPath}. */
    public B context(int tokens) {
        opening.context(tokens);
        return opens();
    }

    /** As {@link ObrModel.Builder#maxConcurrent}, beside {@link #modelPath}. */
    public B maxConcurrent(int requests) {
        opening.maxConcurrent(requests);
        return opens();
    }

    private B opens() {
        opens = true;
        return self();
    }

    /** What holds where a request says nothing; the methods below go before it. */
    public B defaultRequestParameters(ChatRequestParameters defaults) {
        this.defaults = defaults;
        return self();
    }

    /** Divides the logits; 0 takes the likeliest token. 0.8 if nobody says otherwise. */
    public B temperature(@Nullable Double temperature) {
        own.temperature(temperature);
        return self();
    }

    /** Keeps the fewest likeliest tokens whose probabilities add up to this; 0.95. */
    public B topP(@Nullable Double topP) {
        own.topP(topP);
        return self();
    }

    /** Keeps the k likeliest tokens, 0 all; 40. */
    public B topK(@Nullable Integer topK) {
        own.topK(topK);
        return self();
    }

    /** Drops tokens less likely than this share of the likeliest; 0.05. */
    public B minP(@Nullable Double minP) {
        own.minP(minP);
        return self();
    }

    /** Makes tokens that occurred less likely where it is above 1; 1. */
    public B repeatPenalty(@Nullable Double repeatPenalty) {
        own.repeatPenalty(repeatPenalty);
        return self();
    }

    /** Equal seeds give equal answers; without one, each answer has its own. */
    public B seed(@Nullable Long seed) {
        own.seed(seed);
        return self();
    }

    /** Most tokens of an answer; without it, what the context holds. */
    public B maxOutputTokens(@Nullable Integer maxOutputTokens) {
        own.maxOutputTokens(maxOutputTokens);
        return self();
    }

    /** Strings that end an answer before them. */
    public B stopSequences(List<String> stopSequences) {
        own.stopSequences(stopSequences);
        return self();
    }

    /** Told of requests, answers and errors. */
    public B listeners(List<ChatModelListener> listeners) {
        this.listeners = List.copyOf(listeners);
        return self();
    }

    Parts parts() {
        if (shared != null && opens) {
            throw new ObrException(
                    "Both a loaded model and how to load one were given: set model, or modelPath and what goes with it.");
        }
        ChatRequestParameters parameters = ObrChatRequestParameters.builder()
                .overrideWith(defaults)
                .overrideWith(own.build())
                .build();
        return shared == null
                ? new Parts(opening.build(), true, parameters, listeners)
                : new Parts(shared, false, parameters, listeners);
    }
}
