package dev.obr.models.tokenizer;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Byte-level BPE (GPT-2, Llama 3, Qwen): the text is cut into words, each word starts as its UTF-8 bytes, and neighbours merge, the lowest rank first and the leftmost among equals,
 * until no pair of neighbours has a rank. O(n log n) in a word of n bytes.
 */
final class ByteLevelBpe implements PieceEncoder {
    private final SplitRule rule;
    private final MergeTable merges;
    private final int[] byteTokens; // [256] token of each byte, -1 where the vocabulary has none
    private final @Nullable Vocabulary wholeWords;

    /**
     * @param wholeWords where a word that is a token stays whole, whatever the merges say (Llama 3); null where merges alone decide
     */
    ByteLevelBpe(SplitRule rule, MergeTable merges, Vocabulary vocabulary, @Nullable Vocabulary wholeWords) {
        this.rule = rule;
        this.merges = merges;
        this.wholeWords = wholeWords;
        this.byteTokens = new int[256];
        for (int b = 0; b < 256; b++) {
            byteTokens[b] = vocabulary.id(String.valueOf(ByteAlphabet.letter(b)));
        }
    }

    @Override
    public void encode(String text, TokenList tokens) {
        Word word = new Word();
        rule.split(text, 0, text.length(), (start, end) -> {
            byte[] utf8 = text.substring(start, end).getBytes(StandardCharsets.UTF_8);
            int whole = wholeWords == null ? -1 : wholeWords.id(ByteAlphabet.write(utf8));
            if (whole >= 0) {
                tokens.add(whole);
            } else {
                word.encode(utf8, tokens);
            }
        });
    }

    /** The symbols of one word, a linked list over its positions: those that merged away are skipped by {@code next}. Its arrays serve one word after the other. */
    private final class Word {
        private final MergeQueue queue = new MergeQueue();
        private int[] token = new int[64];
        private int[] next = new int[64]; // length of the list where there is none
        private int[] previous = new int[64]; // -1 where there is none
        private int[] rank = new int[64]; // of the pair (i, next[i]), -1 where the two don't merge or i merged away

        void encode(byte[] utf8, TokenList tokens) {
            reserve(utf8.length);
            int n = 0;
            for (byte b : utf8) {
                // A byte that the vocabulary lacks is left out, as in the tokenizers library and llama.cpp.
                int id = byteTokens[b & 0xFF];
                if (id >= 0) {
                    token[n++] = id;
                }
            }
            queue.clear();
            for (int i = 0; i < n; i++) {
                next[i] = i + 1;
                previous[i] = i - 1;
            }
            for (int i = 0; i < n; i++) {
                enqueue(i, n);
            }
            while (!queue.isEmpty()) {
                long entry = queue.remove();
                int left = MergeQueue.position(entry);
                if (rank[left] == MergeQueue.priority(entry)) {
                    merge(left, n);
                }
            }
            for (int i = 0; i < n; i = next[i]) {
                tokens.add(token[i]);
            }
        }

        private void merge(int left, int n) {
            int right = next[left];
            token[left] = merges.merged(rank[left]);
            rank[right] = -1;
            next[left] = next[right];
            if (next[left] < n) {
                previous[next[left]] = left;
            }
            enqueue(left, n);
            if (previous[left] >= 0) {
                enqueue(previous[left], n);
            }
        }

        private void enqueue(int left, int n) {
            rank[left] = next[left] < n ? merges.rank(token[left], token[next[left]]) : -1;
            if (rank[left] >= 0) {
                queue.add(rank[left], left);
            }
        }

        private void reserve(int length) {
            if (token.length < length) {
                token = new int[2 * length];
                next = new int[2 * length];
                previous = new int[2 * length];
                rank = new int[2 * length];
            }
        }
    }
}
