package dev.obr.models.tokenizer;

/** SentencePiece's tokens for single bytes, written {@code <0x00>} to {@code <0xFF>}. */
final class ByteFallback {
    private ByteFallback() {}

    /** The byte (0-255) that {@code piece} writes, or -1. */
    static int value(String piece) {
        if (piece.length() != 6 || !piece.startsWith("<0x") || piece.charAt(5) != '>') {
            return -1;
        }
        int high = Character.digit(piece.charAt(3), 16);
        int low = Character.digit(piece.charAt(4), 16);
        return high < 0 || low < 0 ? -1 : high << 4 | low;
    }
}
