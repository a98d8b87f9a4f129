package dev.obr.runtime.grammar;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

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
    private final byte[] kinds = new byte[256]; // by byte; those of one kind are in the same sets of all symbols
    private final int kindCount;

    Grammar(Symbol[] symbols, int[][] starts, int start) {
        this.symbols = symbols;
        this.starts = starts;
        this.start = start;
        List<ByteSet> sets = Arrays.stream(symbols)
                .filter(Symbol.Bytes.class::isInstance)
                .map(symbol -> ((Symbol.Bytes) symbol).set())
                .distinct()
                .toList();
        Map<List<Boolean>, Integer> known = new HashMap<>();
        for (int b = 0; b < 256; b++) {
            int probe = b;
            List<Boolean> within = sets.stream().map(set -> set.contains(probe)).toList();
            Integer kind = known.putIfAbsent(within, known.size());
            kinds[b] = (byte) (kind == null ? known.size() - 1 : kind);
        }
        this.kindCount = known.size();
    }

    /** The symbol at a position. */
    Symbol symbol(int position) {
        return symbols[position];
    }

    /** The positions at which the alternatives of {@code rule} begin. */
    int[] starts(int rule) {
        return starts[rule];
    }

    /** A number for all bytes that no symbol tells from {@code b}: a letter inside a string is like any other. */
    int kind(int b) {
        return kinds[b] & 0xFF;
    }

    /** How many kinds of bytes there are. */
    int kinds() {
        return kindCount;
    }

    /** The rule that a whole text follows. */
    int start() {
        return start;
    }
}
