package dev.obr.compressor.eval.zeroshot;

import dev.obr.compressor.eval.Prediction;
import dev.obr.kernels.ObrException;
import dev.obr.models.tokenizer.Tokenizer;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.Session;
import java.util.Arrays;

/**
 * Scores requests as lm-evaluation-harness does.
 *
 * <p>Where a continuation begins: context and continuation are tokenised together, and as many tokens as the context alone has are the context's. Spaces at the context's end go to
 * the continuation first. Texts longer than the model's context lose their beginning.
 *
 * <p>The keys and values of the tokens that a request shares with the one before it are kept: the choices of an item cost little more than their own tokens.
 */
public final class LikelihoodScorer implements AutoCloseable {
    private final Tokenizer tokenizer;
    private final Session session;
    private final String name;
    private final int bos;
    private int[] held = new int[0];

    /** @param bos token that begins every text, or -1 for none, as the harness does it unless told otherwise */
    public LikelihoodScorer(LanguageModel model, int bos) {
        this.tokenizer = model.tokenizer();
        this.session = model.newSession();
        this.name = model.name();
        this.bos = bos;
    }

    /** @throws ObrException if the context is empty and there is no begin token, or the continuation alone is longer than the model's context */
    public Likelihood score(Request request) {
        TokenizedRequest tokens = TokenizedRequest.of(request, tokenizer, bos).keepingLast(session.contextLength() + 1);
        int[] all = tokens.tokens();
        int from = tokens.continuationFrom();
        if (from < 1) {
            throw new ObrException(
                    "The continuation '" + request.continuation().strip() + "' has "
                            + (all.length - from) + " tokens, but a context of " + session.contextLength()
                            + " tokens and a token before it are needed: raise --context, or give --bos on where the context is empty.");
        }
        // The last token is only predicted, never run; the one before the continuation is always run: its logits are
        // needed.
        int[] inputs = Arrays.copyOf(all, all.length - 1);
        int mismatch = Arrays.mismatch(held, inputs);
        int shared = Math.min(from - 1, mismatch < 0 ? inputs.length : mismatch);
        session.truncate(shared);
        held = new int[0]; // until all is well
        double[] logProbability = {0};
        boolean[] greedy = {true};
        session.append(Arrays.copyOfRange(inputs, shared, inputs.length), from - 1 - shared, (index, logits) -> {
            for (int row = 0; row < logits.length; row++) {
                int token = all[shared + index + row + 1];
                Prediction prediction = Prediction.of(logits[row], name);
                logProbability[0] += prediction.logProbability(token);
                greedy[0] &= prediction.top() == token;
            }
        });
        held = inputs;
        return new Likelihood(logProbability[0], greedy[0]);
    }

    @Override
    public void close() {
        session.close();
    }
}
