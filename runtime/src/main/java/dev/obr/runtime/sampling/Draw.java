package dev.obr.runtime.sampling;

/**
 * What the next token is chosen by, random number included: logits may then lie where they like.
 *
 * @param options how it is chosen
 * @param context the tokens so far, oldest first
 * @param newFrom where in {@code context} the new text begins
 * @param length how many of {@code context} count
 * @param uniform at least 0 and below 1
 */
public record Draw(SamplerOptions options, int[] context, int newFrom, int length, double uniform) {
    /** The tokens that are penalised, from this index of the context on. */
    public int penalisedFrom() {
        return options.repeatPenalty() == 1
                ? length
                : options.repeatLastN() < 0 ? 0 : Math.max(0, length - options.repeatLastN());
    }

    /** The same for logits that are penalised already. */
    public Draw penalised() {
        return new Draw(options.withRepeatPenalty(1), context, newFrom, length, uniform);
    }
}
