package dev.obr.server;

import dev.obr.runtime.TokenLogprobs;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What OpenAI tells of the tokens of a completion: four lists of equal length. */
final class Probabilities {
    private final Service service;
    private final List<Object> tokens = new ArrayList<>();
    private final List<@Nullable Object> own = new ArrayList<>();
    private final List<@Nullable Object> top = new ArrayList<>();
    private final List<Object> offsets = new ArrayList<>();
    private int offset;

    Probabilities(Service service) {
        this.service = service;
    }

    boolean isEmpty() {
        return tokens.isEmpty();
    }

    void add(int token, @Nullable TokenLogprobs likely) {
        String shown = service.shown(token);
        tokens.add(shown);
        own.add(likely == null ? null : Json.logprob(likely.logprob()));
        offsets.add(offset);
        offset += service.model().tokenizer().bytes(token).length == 0
                ? 0
                : shown.length(); // control tokens have no text
        if (likely == null) {
            top.add(null);
            return;
        }
        Map<String, @Nullable Object> candidates = Json.object();
        likely.top().forEach(one -> candidates.putIfAbsent(service.shown(one.id()), Json.logprob(one.logprob())));
        candidates.putIfAbsent(shown, Json.logprob(likely.logprob())); // the token itself, likely or not
        top.add(candidates);
    }

    /** What came since the last time. */
    @Nullable
    Object take() {
        if (tokens.isEmpty()) {
            return null;
        }
        Object taken = Json.object(
                "tokens",
                List.copyOf(tokens),
                "token_logprobs",
                new ArrayList<>(own),
                "top_logprobs",
                new ArrayList<>(top),
                "text_offset",
                List.copyOf(offsets));
        tokens.clear();
        own.clear();
        top.clear();
        offsets.clear();
        return taken;
    }
}
