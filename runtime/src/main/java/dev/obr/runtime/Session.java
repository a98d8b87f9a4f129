package dev.obr.runtime;

import dev.obr.kernels.ObrException;
import dev.obr.models.tokenizer.TextStream;
import dev.obr.runtime.transformer.ForwardPass;
import dev.obr.runtime.transformer.KvCache;
import dev.obr.runtime.transformer.LogitRows;
import java.util.Arrays;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One sequence of tokens and its keys and values.
 *
 * <p>Each {@link #generate} states its whole prompt; what the session already holds of it (the common beginning) is not computed again, so the next turn of a conversation costs
 * only its new tokens.
 *
 * <p>A session is used by one thread at a time; only {@link Generation#cancel} may come from another. Sessions of one model may run in different threads: their steps take turns.
 */
public final class Session implements AutoCloseable {
    private static final float[] NO_LOGITS = {};

    /** What becomes of the last tokens of a step: they go through the model, and something chooses the token behind them. */
    interface Choice {
        int after(ForwardPass pass, KvCache cache, int[] tokens);
    }

    private final LanguageModel model;
    private final ForwardPass pass;
    private final KvCache cache;
    private final int contextLength;
    private int[] held; // the tokens whose keys and values the cache has, in its first cache.length() places
    private @Nullable Generation running;

    Session(LanguageModel model, ForwardPass pass, KvCache cache, int contextLength) {
        this.model = model;
        this.pass = pass;
        this.cache = cache;
        this.contextLength = contextLength;
        this.held = new int[Math.min(contextLength, 256)];
    }

    /**
     * Starts a continuation of {@code prompt}; nothing is computed before the first {@link Generation#hasNext}.
     *
     * @throws ObrException if the prompt is empty or leaves no room in the context
     */
    public Generation generate(String prompt, GenerationOptions options) {
        return generate(model.tokenizer().encode(prompt, true), options);
    }

    /** As {@link #generate(String, GenerationOptions)} for a prompt of token ids. */
    public Generation generate(int[] prompt, GenerationOptions options) {
        return generate(prompt, options, TextStream.continuing(model.tokenizer()));
    }

    /** {@code characters} decides whether a space at the start of the new text belongs to it. */
    Generation generate(int[] prompt, GenerationOptions options, TextStream characters) {
        model.checkPrompt(prompt, contextLength);
        running = new Generation(this, new Continuation(model, prompt, options, characters, contextLength));
        return running;
    }

    /** Tokens held: those of the last prompt and all but the last new one. */
    public int length() {
        return cache.length();
    }

    /** Most tokens that the session can hold. */
    public int contextLength() {
        return contextLength;
    }

    /** Bytes that keys and values take now. */
    public long cacheBytes() {
        return cache.bytes();
    }

    /**
     * Appends tokens to the sequence and gives the logits that follow the last one: the step that {@link #generate} is made of, for callers that sample themselves.
     *
     * @param tokens at least one
     * @return [vocabularySize] logits
     */
    public float[] append(int... tokens) {
        running = null;
        float[] logits = new float[model.config().vocabularySize()];
        append(tokens, logits(logits), () -> true);
        return logits;
    }

    /**
     * Appends tokens to the sequence and gives the logits that follow each of them from the {@code first} on: what a text's probability is computed from.
     *
     * @param tokens at least one, with ids below the vocabulary size
     * @param first index in {@code tokens} of the first one whose logits are wanted
     * @param rows takes them in order; its indices count from {@code tokens[0]}
     */
    public void append(int[] tokens, int first, LogitRows rows) {
        running = null;
        hold(tokens);
        for (int from = 0; from < tokens.length; from += ForwardPass.MAX_CHUNK) {
            int start = from;
            int to = Math.min(tokens.length, from + ForwardPass.MAX_CHUNK);
            pass.forward(
                    cache,
                    Arrays.copyOfRange(tokens, from, to),
                    Math.max(0, first - from),
                    (index, logits) -> rows.accept(start + index, logits));
        }
    }

    /** Forgets all tokens from position {@code length} on. */
    public void truncate(int length) {
        running = null;
        cache.truncate(length);
    }

    boolean isRunning(Generation generation) {
        return running == generation;
    }

    /**
     * Makes the cache hold the whole prompt, computing what it lacks.
     *
     * @param computed gets the number of tokens computed
     * @return the chosen token, or -1 if told to stop
     */
    int prefill(int[] prompt, Choice choice, BooleanSupplier goOn, int[] computed) {
        // The last prompt token is always computed: its logits choose the first new token.
        int common = Arrays.mismatch(held, 0, cache.length(), prompt, 0, prompt.length - 1);
        cache.truncate(common < 0 ? cache.length() : common);
        computed[0] = prompt.length - cache.length();
        return append(Arrays.copyOfRange(prompt, cache.length(), prompt.length), choice, goOn);
    }

    /** Chunk by chunk, asking {@code goOn} before each. */
    private int append(int[] tokens, Choice choice, BooleanSupplier goOn) {
        hold(tokens);
        int chosen = -1;
        for (int from = 0; from < tokens.length; from += ForwardPass.MAX_CHUNK) {
            if (!goOn.getAsBoolean()) {
                return -1;
            }
            int to = Math.min(tokens.length, from + ForwardPass.MAX_CHUNK);
            int[] chunk = Arrays.copyOfRange(tokens, from, to);
            if (to == tokens.length) {
                chosen = choice.after(pass, cache, chunk);
            } else {
                pass.forward(cache, chunk, NO_LOGITS);
            }
        }
        return chosen;
    }

    /** Chooses nothing, but keeps the logits. */
    private static Choice logits(float[] logits) {
        return (pass, cache, tokens) -> {
            pass.forward(cache, tokens, logits);
            return -1;
        };
    }

    /** Notes {@code tokens} as the ones that the cache is about to get. */
    private void hold(int[] tokens) {
        int before = cache.length();
        if (before + tokens.length > contextLength) {
            throw new ObrException(
                    "The sequence would have " + (before + tokens.length) + " tokens, more than the context of "
                            + contextLength + ": truncate it or open the model with a longer context.");
        }
        if (held.length < before + tokens.length) {
            held = Arrays.copyOf(held, Math.min(contextLength, Math.max(2 * held.length, before + tokens.length)));
        }
        System.arraycopy(tokens, 0, held, before, tokens.length);
    }

    /** One more token; returns the chosen one behind it. */
    int step(int token, Choice choice) {
        return append(new int[] {token}, choice, () -> true);
    }

    /** Frees keys and values. */
    @Override
    public void close() {
        running = null;
        if (model.forget(this)) {
            cache.close();
        }
    }
}
