package dev.obr.models.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * SentencePiece's BPE (Llama 1 and 2, Mistral, TinyLlama): spaces are written ▁, the whole text starts as its characters, and neighbours whose joined text is a token merge, the
 * highest score first and the leftmost among equals. Characters without a token fall back to their UTF-8 bytes. O(n log n) in a text of n characters.
 */
final class SentencePieceBpe implements PieceEncoder {
    /** SentencePiece's sign for a space, U+2581. */
    static final char SPACE = '▁';

    private final Map<String, Integer> mergeable;
    private final int[] priorities; // by id, the highest score lowest
    private final int[] byteTokens; // [256] or -1
    private final int unknown; // or -1
    private final boolean prependSpace;
    private final int longest; // chars of the longest mergeable token

    /**
     * @param mergeable ids of the tokens that merges may make, by text
     * @param scores by id
     * @param byteTokens [256] the token of each byte, -1 where the vocabulary has none
     * @param unknown stands for a character that has neither token nor byte tokens; -1 leaves it out
     * @param prependSpace whether a text, and a text behind a special token, begins with a space that nobody wrote
     */
    SentencePieceBpe(
            Map<String, Integer> mergeable, float[] scores, int[] byteTokens, int unknown, boolean prependSpace) {
        this.mergeable = new HashMap<>(mergeable);
        this.byteTokens = byteTokens;
        this.unknown = unknown;
        this.prependSpace = prependSpace;
        this.priorities = new int[scores.length];
        for (int id = 0; id < scores.length; id++) {
            priorities[id] = priority(scores[id]);
        }
        this.longest =
                mergeable.keySet().stream().mapToInt(String::length).max().orElse(0);
    }

    @Override
    public void encode(String text, TokenList tokens) {
        String spaced = prependSpace ? SPACE + text : text;
        new Merging(spaced.replace(' ', SPACE)).run(tokens);
    }

    /** An int that orders as {@code -score}. */
    private static int priority(float score) {
        int bits = Float.floatToIntBits(-score + 0f);
        return bits >= 0 ? bits : bits ^ Integer.MAX_VALUE;
    }

    /** The symbols of one text: symbol at char i is text[i, next[i]). */
    private final class Merging {
        private final String text;
        private final int[] next;
        private final int[] previous; // -1 where there is none
        private final int[] joined; // token that (i, next[i]) would make, -1 where none or i merged away
        private final MergeQueue queue = new MergeQueue();

        Merging(String text) {
            this.text = text;
            this.next = new int[text.length()];
            this.previous = new int[text.length()];
            this.joined = new int[text.length()];
        }

        void run(TokenList tokens) {
            for (int i = 0, before = -1; i < text.length(); before = i, i = next[i]) {
                next[i] = i + Character.charCount(text.codePointAt(i));
                previous[i] = before;
            }
            for (int i = 0; i < text.length(); i = next[i]) {
                enqueue(i);
            }
            while (!queue.isEmpty()) {
                long entry = queue.remove();
                int left = MergeQueue.position(entry);
                if (joined[left] >= 0 && priorities[joined[left]] == MergeQueue.priority(entry)) {
                    merge(left);
                }
            }
            for (int i = 0; i < text.length(); i = next[i]) {
                append(text.substring(i, next[i]), tokens);
            }
        }

        private void merge(int left) {
            int right = next[left];
            joined[right] = -1;
            next[left] = next[right];
            if (next[left] < text.length()) {
                previous[next[left]] = left;
            }
            enqueue(left);
            if (previous[left] >= 0) {
                enqueue(previous[left]);
            }
        }

        private void enqueue(int left) {
            int right = next[left];
            joined[left] = -1;
            if (right < text.length() && next[right] - left <= longest) {
                joined[left] = mergeable.getOrDefault(text.substring(left, next[right]), -1);
            }
            if (joined[left] >= 0) {
                queue.add(priorities[joined[left]], left);
            }
        }

        private void append(String symbol, TokenList tokens) {
            int id = mergeable.getOrDefault(symbol, -1);
            if (id >= 0) {
                tokens.add(id);
                return;
            }
            byte[] utf8 = symbol.getBytes(StandardCharsets.UTF_8);
            for (byte b : utf8) {
                if (byteTokens[b & 0xFF] < 0) {
                    if (unknown >= 0) {
                        tokens.add(unknown);
                    }
                    return;
                }
            }
            for (byte b : utf8) {
                tokens.add(byteTokens[b & 0xFF]);
            }
        }
    }
}
