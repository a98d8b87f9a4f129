package dev.obr.compressor.eval.zeroshot;

import dev.obr.compressor.eval.MeanAndError;
import org.jspecify.annotations.Nullable;

/**
 * How a model did on a task.
 *
 * @param acc share of items whose right choice has the highest log-likelihood (or, for LAMBADA, whose word the model would have said)
 * @param accNorm the same with log-likelihoods divided by the choices' lengths, or null for tasks that do not report it
 * @param perplexity of the right continuations, for LAMBADA, or null
 */
public record TaskResult(
        Task task,
        MeanAndError acc,
        @Nullable MeanAndError accNorm,
        @Nullable Double perplexity) {
    /** The number that averages over tasks take: {@link #accNorm} where there is one, else {@link #acc}. */
    public MeanAndError headline() {
        return accNorm == null ? acc : accNorm;
    }
}
