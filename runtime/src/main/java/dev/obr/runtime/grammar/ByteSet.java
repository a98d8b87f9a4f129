package dev.obr.runtime.grammar;

/** A set of bytes (0-255): bit {@code b % 64} of word {@code b / 64}. */
record ByteSet(long word0, long word1, long word2, long word3) {
    static final ByteSet NONE = new ByteSet(0, 0, 0, 0);

    /** The bytes from {@code first} to {@code last}, both included. */
    static ByteSet range(int first, int last) {
        long[] words = new long[4];
        for (int b = first; b <= last; b++) {
            words[b >> 6] |= 1L << b;
        }
        return new ByteSet(words[0], words[1], words[2], words[3]);
    }

    /** The characters of {@code ascii}. */
    static ByteSet of(String ascii) {
        ByteSet set = NONE;
        for (int i = 0; i < ascii.length(); i++) {
            set = set.or(range(ascii.charAt(i), ascii.charAt(i)));
        }
        return set;
    }

    ByteSet or(ByteSet other) {
        return new ByteSet(word0 | other.word0, word1 | other.word1, word2 | other.word2, word3 | other.word3);
    }

    boolean contains(int b) {
        long word = switch (b >> 6) {
            case 0 -> word0;
            case 1 -> word1;
            case 2 -> word2;
            default -> word3;
        };
        return (word >> b & 1) != 0;
    }
}
