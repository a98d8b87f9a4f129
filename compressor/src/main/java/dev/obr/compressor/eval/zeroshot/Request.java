package dev.obr.compressor.eval.zeroshot;

/**
 * How probable is {@code continuation} after {@code context}?
 *
 * @param continuation begins with the space that separates it from the context
 * @param length by which the log-likelihood is divided for {@code acc_norm}: characters of the choice, without that space
 */
public record Request(String context, String continuation, int length) {
    /** A choice that a space separates from what stands before it. */
    static Request choice(String context, String choice) {
        return new Request(context, " " + choice, choice.codePointCount(0, choice.length()));
    }
}
