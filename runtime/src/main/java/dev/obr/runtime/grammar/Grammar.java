package dev.obr.runtime.grammar;

/**
 * What a text may be: rules, each with alternatives, each a sequence of {@link Symbol}s.
 *
 * <p>Terminals are bytes, not characters: tokens are bytes, and one may hold the beginning of a character. A position inside a character is then a position like any other, and UTF-8 is
 * spelled out by the rules ({@link CodePointSet}).
 *
 * <pre>
 *   symbols   { A B C End   D End   E End ... }      alternatives one after the other
 *   starts      ^ rule 0    ^ rule 0  ^ rule 1       where each begins, by rule
 * </pre>
 *
 * <p>Every rule that is left has a text, and none begins with itself ({@link GrammarBuilder} sees to both): whatever was accepted so far can be completed.
 *
 * <p>Immutable and safe to share between threads. {@link JsonSchema} makes grammars; {@link dev.obr.runtime.GenerationOptions#withGrammar} has a text obey one.
 */
public final class Grammar {
    private final Symbol[] symbols;
    private final int[][] starts;
    private final int start;

    Grammar(Symbol[] symbols, int[][] starts, int start) {
        this.symbols = symbols;
        this.starts = starts;
        this.start = start;
    }

    /** The symbol at a position. */
    Symbol symbol(int position) {
        return symbols[position];
    }

    /** The positions at which the alternatives of {@code rule} begin. */
    int[] starts(int rule) {
        return starts[rule];
    }

    /** The rule that a whole text follows. */
    int start() {
        return start;
    }
}
