package dev.obr.runtime.grammar;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.sampling.Sampler;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Holds the tokens of one text to a grammar. Between the logits and the next token:
 *
 * <pre>{@code
 * int token = constraint.next(sampler, logits, context, length);   // sampled, allowed and accepted
 * if (constraint.isComplete()) { ... }                             // nothing can follow
 * }</pre>
 *
 * <p>One for each sequence, used by one thread at a time; grammar and tree are shared.
 */
public final class TokenConstraint {
    private static final int MAX_STATES = 2_000; // about 1 KiB each

    private final TokenTrie vocabulary;
    private final Acceptor acceptor;
    private Acceptor.State state;
    private boolean ended;

    public TokenConstraint(Grammar grammar, TokenTrie vocabulary) {
        this.vocabulary = vocabulary;
        this.acceptor = new Acceptor(grammar);
        this.state = acceptor.start();
    }

    /** Whether {@code token} may come next. Control tokens never may, tokens that end a generation where the text may end. */
    public boolean allows(int token) {
        return !ended && (vocabulary.ends(token) ? state.mayEnd() : after(token) != null);
    }

    /**
     * Sets the logits of all tokens that must not come next to -infinity.
     *
     * @throws ObrException if no token may: the vocabulary cannot spell what the grammar demands
     */
    public void mask(float[] logits) {
        BitSet allowed = ended ? new BitSet() : vocabulary.allowed(acceptor, state);
        int first = allowed.nextSetBit(0);
        if (first < 0 || first >= logits.length) {
            throw new ObrException("No token of the model can follow here: its vocabulary cannot spell a text that the"
                    + " grammar allows; use another model or a schema without such characters.");
        }
        for (int token = allowed.nextClearBit(0); token < logits.length; token = allowed.nextClearBit(token + 1)) {
            logits[token] = Float.NEGATIVE_INFINITY;
        }
    }

    /**
     * Takes {@code token} as the next of the text.
     *
     * @throws IllegalArgumentException if it must not come next
     */
    public void accept(int token) {
        if (!allows(token)) {
            throw new IllegalArgumentException("token " + token + " must not come next");
        }
        Acceptor.@Nullable State next = after(token);
        ended = next == null;
        state = next == null ? state : next;
        if (acceptor.states() > MAX_STATES) {
            state = acceptor.forget(state);
        }
    }

    /** Whether the text may end here. */
    public boolean mayEnd() {
        return ended || state.mayEnd();
    }

    /** Whether the text has ended, or may end and not go on. */
    public boolean isComplete() {
        return ended || (state.mayEnd() && !state.mayContinue());
    }

    /**
     * Chooses the next token and accepts it. The sampler's own choice is checked first, and the logits are masked only if it is not allowed: at temperature 0 the token is the same as
     * with masking first, and without top-k, top-p and min-p so is its distribution.
     *
     * @param logits one per token id; changed by penalties, and where a choice is refused
     * @param context the tokens so far, oldest first
     * @param length how many of {@code context} count
     */
    public int next(Sampler sampler, float[] logits, int[] context, int length) {
        int token = sampler.next(logits, context, length);
        if (!allows(token)) {
            mask(logits);
            token = sampler.again(logits);
        }
        accept(token);
        return token;
    }

    private Acceptor.@Nullable State after(int token) {
        byte[] bytes = vocabulary.bytes(token);
        return bytes.length == 0 ? null : acceptor.after(state, bytes);
    }
}
