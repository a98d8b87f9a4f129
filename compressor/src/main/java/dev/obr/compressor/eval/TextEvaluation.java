package dev.obr.compressor.eval;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.Session;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Measures a model on the windows of a text: its {@link Perplexity} and, beside a reference, its {@link Divergence}.
 *
 * <p>Both models run through the same windows side by side, {@link #CHUNK} tokens at a time, so that logits are never written down: at 128,000 words, those of WikiText-2's test set
 * would be 150 GB. Results do not depend on the number of threads.
 */
public final class TextEvaluation implements AutoCloseable {
    /** Tokens of which the reference's logits are held: 131 MB at 128,000 words. */
    private static final int CHUNK = 256;

    private final LanguageModel model;
    private final @Nullable LanguageModel reference;
    private final String referenceName;
    private final ThreadTeam team;

    /**
     * @param reference the model to be compared with, or null; both stay the caller's to close
     * @param threads that score logits; 0 takes one per processor
     * @throws ObrException if the two models do not share a vocabulary
     */
    public TextEvaluation(LanguageModel model, @Nullable LanguageModel reference, int threads) {
        if (reference != null) {
            requireSameWords(model, reference);
        }
        this.model = model;
        this.reference = reference;
        this.referenceName = reference == null ? "" : reference.name();
        this.team = new ThreadTeam(threads > 0 ? threads : Runtime.getRuntime().availableProcessors());
    }

    private static void requireSameWords(LanguageModel model, LanguageModel reference) {
        int words = model.config().vocabularySize();
        int referenceWords = reference.config().vocabularySize();
        if (words != referenceWords) {
            throw new ObrException("The model " + model.name() + " has " + words + " words, but its reference "
                    + reference.name() + " has " + referenceWords
                    + ": compare a model with the one that it was made from.");
        }
    }

    /** @throws ObrException if a token is outside the model's vocabulary, a window longer than its context, or a logit is NaN */
    public TextReport run(TextWindows windows, EvaluationProgress progress) {
        long start = System.nanoTime();
        int scored = windows.scoredPerWindow();
        int count = windows.windows().size();
        Scores scores = new Scores(count * scored, reference != null);
        try (Session session = model.newSession();
                Session referenceSession = reference == null ? null : reference.newSession()) {
            for (int k = 0; k < count; k++) {
                int[] window = windows.windows().get(k);
                requireKnown(window);
                session.truncate(0);
                if (referenceSession == null) {
                    score(session, window, windows.firstScored(), scores, k * scored);
                } else {
                    referenceSession.truncate(0);
                    compare(session, referenceSession, window, windows.firstScored(), scores, k * scored);
                }
                progress.step(k + 1, count, scores.soFar((k + 1) * scored));
            }
        }
        return new TextReport(
                Perplexity.of(scores.loss),
                reference == null ? null : Perplexity.of(scores.referenceLoss),
                reference == null ? null : Divergence.of(scores.divergence, scores.sameTop),
                (long) count * windows.length(),
                (System.nanoTime() - start) / 1e9);
    }

    private void requireKnown(int[] tokens) {
        int words = model.config().vocabularySize();
        for (int token : tokens) {
            if (token < 0 || token >= words) {
                throw new ObrException("The text has token " + token + ", but the model " + model.name() + " has "
                        + words + " words: its tokenizer belongs to another model.");
            }
        }
    }

    /** One number per scored token of all windows. */
    private static final class Scores {
        final double[] loss;
        final double[] referenceLoss;
        final double[] divergence;
        final double[] sameTop;

        Scores(int tokens, boolean compared) {
            loss = new double[tokens];
            referenceLoss = new double[compared ? tokens : 0];
            divergence = new double[compared ? tokens : 0];
            sameTop = new double[compared ? tokens : 0];
        }

        String soFar(int tokens) {
            String text = String.format(
                    Locale.ROOT,
                    "PPL %.4f",
                    Perplexity.of(Arrays.copyOf(loss, tokens)).value());
            return divergence.length == 0
                    ? text
                    : text
                            + String.format(
                                    Locale.ROOT,
                                    ", KLD %.5f",
                                    Arrays.stream(divergence, 0, tokens)
                                            .average()
                                            .orElse(0));
        }
    }

    // The logits behind token i predict token i + 1, so the last token of a window is never run.
    private void score(Session session, int[] window, int firstScored, Scores scores, int offset) {
        int[] inputs = Arrays.copyOf(window, window.length - 1);
        session.append(
                inputs,
                firstScored - 1,
                (index, logits) -> team.run(logits.length, row -> {
                    int target = index + row + 1;
                    Prediction prediction = Prediction.of(logits[row], model.name());
                    scores.loss[offset + target - firstScored] = -prediction.logProbability(window[target]);
                }));
    }

    private void compare(
            Session session, Session referenceSession, int[] window, int firstScored, Scores scores, int offset) {
        int inputs = window.length - 1;
        for (int from = 0; from < inputs; from += CHUNK) {
            int base = from;
            int[] chunk = Arrays.copyOfRange(window, from, Math.min(inputs, from + CHUNK));
            int first = Math.max(0, firstScored - 1 - from);
            List<float[]> expected = new ArrayList<>();
            referenceSession.append(chunk, first, (index, logits) -> expected.addAll(Arrays.asList(logits)));
            session.append(
                    chunk,
                    first,
                    (index, logits) -> team.run(logits.length, row -> {
                        int target = base + index + row + 1;
                        int at = offset + target - firstScored;
                        Prediction mine = Prediction.of(logits[row], model.name());
                        Prediction theirs = Prediction.of(expected.get(index - first + row), referenceName);
                        scores.loss[at] = -mine.logProbability(window[target]);
                        scores.referenceLoss[at] = -theirs.logProbability(window[target]);
                        scores.divergence[at] = mine.divergenceFrom(theirs);
                        scores.sameTop[at] = mine.top() == theirs.top() ? 1 : 0;
                    }));
        }
    }

    @Override
    public void close() {
        team.close();
    }
}
