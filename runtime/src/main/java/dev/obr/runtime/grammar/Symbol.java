package dev.obr.runtime.grammar;

/** What an alternative of a rule is made of. */
sealed interface Symbol {
    /** One byte out of a set. */
    record Bytes(ByteSet set) implements Symbol {}

    /** A text of another rule. */
    record Call(int rule) implements Symbol {}

    /**
     * {@code min} to {@code max} texts of another rule, counted while the text is read: a string of up to 10,000 characters takes one symbol.
     *
     * @param max {@link #ENDLESS} where there is no limit
     */
    record Repeat(int rule, int min, int max) implements Symbol {
        static final int ENDLESS = -1;
    }

    /** Behind the last symbol of an alternative. */
    record End() implements Symbol {}
}
