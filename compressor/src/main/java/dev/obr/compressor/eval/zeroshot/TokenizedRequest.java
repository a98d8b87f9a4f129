package dev.obr.compressor.eval.zeroshot;

import dev.obr.models.tokenizer.Tokenizer;
import java.util.Arrays;

/**
 * A request as tokens.
 *
 * @param tokens of context and continuation
 * @param continuationFrom index of the continuation's first token
 */
record TokenizedRequest(int[] tokens, int continuationFrom) {
    /** @param bos token in front of the context, or -1 */
    static TokenizedRequest of(Request request, Tokenizer tokenizer, int bos) {
        String context = request.context().stripTrailing();
        String continuation = request.context().substring(context.length()) + request.continuation();
        int[] before = tokenizer.encode(context, false);
        int[] whole = tokenizer.encode(context + continuation, false);
        int boundary = Math.min(before.length, whole.length - 1);
        // Where tokens join across the boundary, what is run is still the context's own tokens and then the rest of the
        // whole's.
        int begin = bos < 0 ? 0 : 1;
        int[] tokens = new int[begin + whole.length];
        if (bos >= 0) {
            tokens[0] = bos;
        }
        System.arraycopy(before, 0, tokens, begin, boundary);
        System.arraycopy(whole, boundary, tokens, begin + boundary, whole.length - boundary);
        return new TokenizedRequest(tokens, begin + boundary);
    }

    /** Without its beginning, where it has more than {@code most} tokens. */
    TokenizedRequest keepingLast(int most) {
        int cut = Math.max(0, tokens.length - most);
        return new TokenizedRequest(Arrays.copyOfRange(tokens, cut, tokens.length), continuationFrom - cut);
    }
}
