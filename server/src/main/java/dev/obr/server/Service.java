package dev.obr.server;

import dev.obr.runtime.BatchScheduler;
import dev.obr.runtime.LanguageModel;
import java.time.Duration;

/**
 * What requests are answered with.
 *
 * @param name of the model in answers
 * @param created seconds since 1970 at which it was ready
 * @param timeout of one request
 */
record Service(LanguageModel model, BatchScheduler scheduler, String name, long created, Duration timeout) {
    int[] tokens(String text, boolean addSpecialTokens) {
        return model.tokenizer().encode(text, addSpecialTokens);
    }

    /** Token {@code id} as answers show it: its characters, or its name if it has none. */
    String shown(int id) {
        byte[] bytes = model.tokenizer().bytes(id);
        return bytes.length == 0
                ? model.tokenizer().piece(id)
                : new String(bytes, java.nio.charset.StandardCharsets.UTF_8);
    }
}
