package dev.obr.models.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * GPT-2's way to write bytes as visible characters, in which byte-level vocabularies are stored: printable Latin-1 stands for itself, the other 68 bytes for U+0100 onwards, in
 * order (space is {@code Ġ}, newline {@code Ċ}).
 */
final class ByteAlphabet {
    private static final char[] LETTER = letters();
    private static final short[] BYTE = inverse(LETTER);

    private ByteAlphabet() {}

    /** The character that stands for byte {@code b} (0-255). */
    static char letter(int b) {
        return LETTER[b];
    }

    /** {@code utf8} written in the alphabet. */
    static String write(byte[] utf8) {
        char[] letters = new char[utf8.length];
        for (int i = 0; i < utf8.length; i++) {
            letters[i] = LETTER[utf8[i] & 0xFF];
        }
        return new String(letters);
    }

    /** The bytes that {@code piece} writes; a piece with a character outside the alphabet (an added token) stands for its own UTF-8. */
    static byte[] read(String piece) {
        byte[] bytes = new byte[piece.length()];
        for (int i = 0; i < bytes.length; i++) {
            char c = piece.charAt(i);
            if (c >= BYTE.length || BYTE[c] < 0) {
                return piece.getBytes(StandardCharsets.UTF_8);
            }
            bytes[i] = (byte) BYTE[c];
        }
        return bytes;
    }

    private static char[] letters() {
        char[] letters = new char[256];
        char next = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
            letters[b] = printable ? (char) b : next++;
        }
        return letters;
    }

    private static short[] inverse(char[] letters) {
        short[] bytes = new short[0x100 + 68];
        Arrays.fill(bytes, (short) -1);
        for (int b = 0; b < 256; b++) {
            bytes[letters[b]] = (short) b;
        }
        return bytes;
    }
}
