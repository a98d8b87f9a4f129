package dev.obr.models.tokenizer;

/**
 * The classes of characters that split rules name, as the published tokenizers' regular expressions mean them.
 *
 * <p>Java's own {@code \s} and {@link Character#isWhitespace(int)} differ from Unicode's White_Space: they count U+001C-U+001F and leave out U+0085 and the no-break spaces.
 */
final class CodePoints {
    private CodePoints() {}

    /** {@code \s}: Unicode's White_Space. */
    static boolean isSpace(int c) {
        if (c < 0x80) {
            return c == ' ' || (c >= '\t' && c <= '\r');
        }
        return switch (c) {
            case 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000 -> true;
            default -> c >= 0x2000 && c <= 0x200A;
        };
    }

    /** {@code [\r\n]}. */
    static boolean isNewline(int c) {
        return c == '\r' || c == '\n';
    }

    /** {@code \p{L}}. */
    static boolean isLetter(int c) {
        return Character.isLetter(c);
    }

    /** {@code \p{N}}: digits of every script, letter numbers (Ⅷ) and others (½). */
    static boolean isNumber(int c) {
        return switch (Character.getType(c)) {
            case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> true;
            default -> false;
        };
    }

    /** {@code \p{P}}. */
    static boolean isPunctuation(int c) {
        return switch (Character.getType(c)) {
            case Character.CONNECTOR_PUNCTUATION,
                    Character.DASH_PUNCTUATION,
                    Character.START_PUNCTUATION,
                    Character.END_PUNCTUATION,
                    Character.INITIAL_QUOTE_PUNCTUATION,
                    Character.FINAL_QUOTE_PUNCTUATION,
                    Character.OTHER_PUNCTUATION -> true;
            default -> false;
        };
    }

    /** {@code [^\s\p{L}\p{N}]}: punctuation, symbols, marks, controls. */
    static boolean isOther(int c) {
        return !isSpace(c) && !isLetter(c) && !isNumber(c);
    }

    /** {@code text} with every unpaired surrogate, which has no UTF-8 form, as U+FFFD. */
    static String wellFormed(String text) {
        StringBuilder repaired = null;
        for (int i = 0; i < text.length(); i++) {
            if (!Character.isSurrogate(text.charAt(i))) {
                continue;
            }
            if (Character.isHighSurrogate(text.charAt(i))
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
                continue;
            }
            if (repaired == null) {
                repaired = new StringBuilder(text);
            }
            repaired.setCharAt(i, '\uFFFD');
        }
        return repaired == null ? text : repaired.toString();
    }
}
