package dev.obr.compressor.eval.zeroshot;

import dev.obr.models.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;

/** A vocabulary small enough to work by hand: the longest piece that fits, from left to right. */
final class WordTokenizer implements Tokenizer {
    private static final List<String> PIECES = List.of("a", "b", " ", " b", "ab", "  ", "c", "bc");

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        List<Integer> ids = new ArrayList<>();
        for (int at = 0; at < text.length(); at += PIECES.get(ids.getLast()).length()) {
            int best = -1;
            for (int id = 0; id < PIECES.size(); id++) {
                if (text.startsWith(PIECES.get(id), at)
                        && (best < 0
                                || PIECES.get(id).length() > PIECES.get(best).length())) {
                    best = id;
                }
            }
            ids.add(best);
        }
        return ids.stream().mapToInt(id -> id).toArray();
    }

    @Override
    public byte[] bytes(int id) {
        throw new UnsupportedOperationException();
    }

    @Override
    public String piece(int id) {
        return PIECES.get(id);
    }

    @Override
    public int id(String piece) {
        return PIECES.indexOf(piece);
    }

    @Override
    public int vocabularySize() {
        return PIECES.size();
    }

    @Override
    public boolean dropsLeadingSpace() {
        return false;
    }
}
