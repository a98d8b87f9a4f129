package dev.obr.compressor.eval;

import dev.obr.kernels.ObrException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A text as a model is measured on it: windows of equal length that know nothing of each other.
 *
 * @param protocol which cut them
 * @param windows [length] token ids each
 * @param firstScored index of the first token of a window whose prediction counts; all after it do, too
 * @param begun whether a beginning-of-sequence token begins every window
 * @param textTokens tokens of the whole text
 */
public record TextWindows(Protocol protocol, List<int[]> windows, int firstScored, boolean begun, int textTokens) {
    /**
     * @param tokens of the whole text, without special tokens around it
     * @param length tokens of a window, 2 or more (4 or more for {@link Protocol#LLAMA})
     * @param bos token that begins every window, or -1
     * @param limit most windows; 0 takes all
     * @param source what the text is, for messages
     * @throws ObrException if the text is too short
     */
    public static TextWindows cut(Protocol protocol, int[] tokens, int length, int bos, int limit, String source) {
        boolean llama = protocol == Protocol.LLAMA;
        int least = llama ? 4 : 2;
        if (length < least) {
            throw new ObrException("Windows of " + length + " tokens are too short to be scored: take " + least
                    + " or more (--context).");
        }
        boolean begun = bos >= 0;
        // llama-perplexity begins the whole text with the token too, then overwrites the first of each window
        int[] stream = llama && begun ? prepended(bos, tokens) : tokens;
        int step = begun && !llama ? length - 1 : length;
        int needed = llama ? 2 * length : step;
        if (stream.length < needed) {
            throw new ObrException(source + " has " + stream.length + " tokens, but " + protocol.label()
                    + " windows of " + length + " tokens need " + needed
                    + ": give a longer text or shorter windows (--context).");
        }
        int count = stream.length / step;
        List<int[]> windows = new ArrayList<>();
        for (int k = 0; k < (limit == 0 ? count : Math.min(limit, count)); k++) {
            int[] part = Arrays.copyOfRange(stream, k * step, (k + 1) * step);
            if (begun && llama) {
                part[0] = bos;
            }
            windows.add(begun && !llama ? prepended(bos, part) : part);
        }
        return new TextWindows(protocol, windows, llama ? length / 2 + 1 : 1, begun, tokens.length);
    }

    private static int[] prepended(int token, int[] tokens) {
        int[] all = new int[tokens.length + 1];
        all[0] = token;
        System.arraycopy(tokens, 0, all, 1, tokens.length);
        return all;
    }

    /** Tokens of each window. */
    public int length() {
        return windows.getFirst().length;
    }

    /** Predictions scored in each window. */
    public int scoredPerWindow() {
        return length() - firstScored;
    }
}
