package dev.obr.models.tokenizer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Finds special tokens that are written out in a text: from left to right, the longest that fits. */
final class SpecialTokens {
    private record Special(String piece, int id) {}

    private final Map<Character, List<Special>> byFirstCharacter = new HashMap<>();

    /** @param ids by piece; pieces are not empty */
    SpecialTokens(Map<String, Integer> ids) {
        ids.forEach((piece, id) -> byFirstCharacter
                .computeIfAbsent(piece.charAt(0), c -> new ArrayList<>())
                .add(new Special(piece, id)));
        byFirstCharacter
                .values()
                .forEach(list -> list.sort(
                        Comparator.comparingInt((Special s) -> s.piece().length())
                                .reversed()));
    }

    /** Appends the tokens of {@code text}: special ones as they stand, the text between them by {@code encoder}. */
    void encode(String text, PieceEncoder encoder, TokenList tokens) {
        int start = 0;
        int i = 0;
        while (i < text.length()) {
            Special special = at(text, i);
            if (special == null) {
                i++;
                continue;
            }
            if (start < i) {
                encoder.encode(text.substring(start, i), tokens);
            }
            tokens.add(special.id());
            i += special.piece().length();
            start = i;
        }
        if (start < text.length()) {
            encoder.encode(text.substring(start), tokens);
        }
    }

    private @Nullable Special at(String text, int i) {
        List<Special> candidates = byFirstCharacter.get(text.charAt(i));
        if (candidates != null) {
            for (Special special : candidates) {
                if (text.startsWith(special.piece(), i)) {
                    return special;
                }
            }
        }
        return null;
    }
}
