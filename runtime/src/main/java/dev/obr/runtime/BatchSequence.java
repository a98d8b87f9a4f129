package dev.obr.runtime;

import dev.obr.runtime.transformer.KvCache;
import org.jspecify.annotations.Nullable;

/** One request in the hands of a {@link BatchScheduler}: its text, its reader, and its cache while it is computed. */
final class BatchSequence {
    final BatchRequest request;
    final Continuation text;
    final BatchedGeneration reader;
    private final long submitted = System.nanoTime();
    private @Nullable KvCache cache;
    private int computed; // prompt tokens
    private int explained; // index of the last prompt token whose probability the reader has
    private long begun;
    private long first;
    private long last;

    BatchSequence(BatchRequest request, Continuation text, BatchedGeneration reader) {
        this.request = request;
        this.text = text;
        this.reader = reader;
    }

    @Nullable
    KvCache cache() {
        return cache;
    }

    /** Begins to be computed, or begins again, from what the cache holds. */
    void begin(KvCache with) {
        cache = with;
        if (begun == 0) {
            begun = System.nanoTime();
        }
    }

    /** Gives the cache away, which the sequence begins without when it begins again. */
    @Nullable
    KvCache release() {
        KvCache released = cache;
        cache = null;
        return released;
    }

    int held() {
        return cache == null ? 0 : cache.length();
    }

    /** Tokens that the cache lacks; 1 while the text is generated. */
    int pending() {
        return text.length() - held();
    }

    /** Tokens that this and another sequence begin with, at most all but the last of this: its logits are needed. */
    int common(int[] other) {
        int most = Math.min(text.length() - 1, other.length);
        int common = 0;
        while (common < most && text.token(common) == other[common]) {
            common++;
        }
        return common;
    }

    /** Whether it lacks nothing but the token that was chosen last. */
    boolean isGenerating() {
        return cache != null && pending() == 1;
    }

    /** Tells the reader how likely the prompt's tokens were; {@code rows[i]} follow the token at {@code from + i}. What a sequence that begins again computes again is not told again. */
    void explainPrompt(int from, float[][] rows) {
        for (int i = 0; i < rows.length; i++) {
            int next = from + i + 1;
            if (next < text.promptLength() && next > explained) {
                reader.add(TokenLogprobs.of(rows[i], text.token(next), Math.max(0, request.logprobs())));
                explained = next;
            }
        }
    }

    /** Goes on with the token that follows, and gives it to the reader. */
    void choose(float[] logits) {
        float[] before = request.logprobs() < 0 ? logits : logits.clone(); // choosing changes them
        int id = text.choose(logits);
        GeneratedToken token =
                text.append(id, request.logprobs() < 0 ? null : TokenLogprobs.of(before, id, request.logprobs()));
        last = System.nanoTime();
        if (first == 0) {
            first = last;
        }
        reader.add(token);
    }

    /** Notes a step that computed some tokens of the prompt. */
    void computed(int promptTokens) {
        computed += promptTokens;
    }

    void cancel() {
        text.finish(FinishReason.CANCELLED);
        end();
    }

    /** Tells the reader that the text has ended. */
    void end() {
        reader.end(text.result(new Timings(
                computed,
                first == 0 ? 0 : (first - begun) / 1e6,
                first == 0 ? 0 : (first - submitted) / 1e6,
                text.newTokens(),
                (last - first) / 1e6)));
    }
}
