package dev.obr.runtime;

import dev.obr.kernels.ObrException;
import dev.obr.models.chat.ChatFormat;
import dev.obr.models.chat.ChatMessage;
import dev.obr.models.tokenizer.TextStream;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A conversation: keeps the turns, writes them in the model's chat format, and reuses the keys and values of the turns before.
 *
 * <p>One thread at a time, as {@link Session}.
 */
public final class ChatSession implements AutoCloseable {
    private final LanguageModel model;
    private final ChatFormat format;
    private final Session session;
    private final List<ChatMessage> messages = new ArrayList<>();
    private final int systemMessages;
    private @Nullable Generation answering;

    ChatSession(LanguageModel model, ChatFormat format, @Nullable String system) {
        this.model = model;
        this.format = format;
        this.session = model.newSession();
        if (system != null) {
            messages.add(ChatMessage.system(system));
        }
        this.systemMessages = messages.size();
    }

    /**
     * Asks {@code text} as the user's next turn. The answer joins the conversation when the next turn is asked for, or {@link #messages}; a cancelled one as far as it went.
     *
     * @throws ObrException if the conversation leaves no room in the context; the turn is then not part of it
     */
    public Generation send(String text, GenerationOptions options) {
        settle();
        messages.add(ChatMessage.user(text));
        try {
            int[] prompt = model.tokenizer().encode(format.prompt(messages), false);
            answering = session.generate(prompt, options, new TextStream(model.tokenizer()));
            return answering;
        } catch (RuntimeException e) {
            messages.removeLast();
            throw e;
        }
    }

    /** The turns so far, the system's first. */
    public List<ChatMessage> messages() {
        settle();
        return List.copyOf(messages);
    }

    /** Forgets all turns but the system's. */
    public void clear() {
        settle();
        messages.subList(systemMessages, messages.size()).clear();
    }

    /** Takes the answer being generated into the conversation, as far as it went. */
    private void settle() {
        if (answering != null) {
            answering.cancel();
            messages.add(ChatMessage.assistant(answering.result().text()));
            answering = null;
        }
    }

    /** Frees keys and values. */
    @Override
    public void close() {
        session.close();
    }
}
