package dev.obr.runtime.grammar;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import dev.obr.runtime.grammar.Symbol.Bytes;
import dev.obr.runtime.grammar.Symbol.Call;
import dev.obr.runtime.grammar.Symbol.End;
import dev.obr.runtime.grammar.Symbol.Repeat;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rules while they are written down. {@link #build} leaves out what no text can follow, so that a reader of the grammar never runs into a dead end, and refuses rules that begin with
 * themselves, which a reader from left to right would follow for ever.
 */
final class GrammarBuilder {
    private static final int MAX_SYMBOLS = 4_000_000;

    private record Alternative(int rule, List<Symbol> symbols) {}

    private final List<String> names = new ArrayList<>();
    private final List<Alternative> alternatives = new ArrayList<>();
    private int size;

    /**
     * A rule without alternatives, which has no text until it gets one.
     *
     * @param name for messages
     */
    int rule(String name) {
        names.add(name);
        return names.size() - 1;
    }

    /** A rule with these alternatives. */
    int rule(String name, Sequence... alternatives) {
        int rule = rule(name);
        for (Sequence alternative : alternatives) {
            add(rule, alternative);
        }
        return rule;
    }

    /** Another alternative of {@code rule}. */
    void add(int rule, Sequence alternative) {
        size += alternative.symbols().size() + 1;
        if (size > MAX_SYMBOLS) {
            throw new ObrException("The grammar has more than " + MAX_SYMBOLS
                    + " symbols: shorten the lists of values or names in its schema.");
        }
        alternatives.add(new Alternative(rule, List.copyOf(alternative.symbols())));
    }

    /**
     * The grammar of the texts of {@code start}.
     *
     * @throws ObrException if there is none, or a rule begins with itself
     */
    Grammar build(int start) {
        boolean[] productive = rulesOf(alternatives, false);
        if (!productive[start]) {
            throw new ObrException("Nothing can satisfy " + names.get(start)
                    + ": its requirements exclude each other, or contain themselves without end.");
        }
        List<Alternative> kept = new ArrayList<>();
        for (Alternative alternative : alternatives) {
            List<Symbol> symbols = possible(alternative.symbols(), productive);
            if (symbols != null) {
                kept.add(new Alternative(alternative.rule(), symbols));
            }
        }
        boolean[] nullable = rulesOf(kept, true);
        refuseLeftRecursion(kept, nullable);
        return lay(kept, start);
    }

    /** {@code symbols} without repetitions of rules that have no text; null where such a rule is needed. */
    private static @Nullable List<Symbol> possible(List<Symbol> symbols, boolean[] productive) {
        List<Symbol> possible = new ArrayList<>();
        for (Symbol symbol : symbols) {
            int rule = ruleOf(symbol);
            if (rule < 0 || productive[rule]) {
                possible.add(symbol);
            } else if (isNeeded(symbol)) {
                return null;
            }
        }
        return possible;
    }

    /**
     * The rules that have a text, or the empty one: those with an alternative whose needed rules all have one. Linear in the grammar.
     *
     * @param empty whether only the empty text counts
     */
    private boolean[] rulesOf(List<Alternative> alternatives, boolean empty) {
        boolean[] holds = new boolean[names.size()];
        int[] missing = new int[alternatives.size()];
        List<List<Integer>> users = new ArrayList<>();
        for (int rule = 0; rule < holds.length; rule++) {
            users.add(new ArrayList<>());
        }
        ArrayDeque<Integer> found = new ArrayDeque<>();
        for (int i = 0; i < missing.length; i++) {
            for (Symbol symbol : alternatives.get(i).symbols()) {
                if (symbol instanceof Bytes bytes) {
                    missing[i] += empty || bytes.set().equals(ByteSet.NONE) ? 1 : 0;
                } else if (isNeeded(symbol)) {
                    missing[i]++;
                    users.get(ruleOf(symbol)).add(i);
                }
            }
            if (missing[i] == 0) {
                found.add(alternatives.get(i).rule());
            }
        }
        while (!found.isEmpty()) {
            int rule = found.remove();
            if (holds[rule]) {
                continue;
            }
            holds[rule] = true;
            for (int user : users.get(rule)) {
                if (--missing[user] == 0) {
                    found.add(alternatives.get(user).rule());
                }
            }
        }
        return holds;
    }

    /** The rule that {@code symbol} refers to, or -1. */
    private static int ruleOf(Symbol symbol) {
        return switch (symbol) {
            case Call call -> call.rule();
            case Repeat repeat -> repeat.rule();
            case Bytes bytes -> -1;
            case End end -> -1;
        };
    }

    /** Whether {@code symbol} stands for nothing without a text of its rule. */
    private static boolean isNeeded(Symbol symbol) {
        return symbol instanceof Call || (symbol instanceof Repeat repeat && repeat.min() > 0);
    }

    private void refuseLeftRecursion(List<Alternative> alternatives, boolean[] nullable) {
        List<List<Integer>> first = new ArrayList<>(); // by rule, the rules that its texts may begin with
        List<List<Integer>> before = new ArrayList<>(); // the same, turned round
        for (int rule = 0; rule < nullable.length; rule++) {
            first.add(new ArrayList<>());
            before.add(new ArrayList<>());
        }
        for (Alternative alternative : alternatives) {
            for (Symbol symbol : alternative.symbols()) {
                int rule = ruleOf(symbol);
                if (rule < 0) {
                    break;
                }
                if (symbol instanceof Repeat && nullable[rule]) {
                    throw new ObrException(
                            "In " + name(rule) + " something that may be empty is repeated: repeat what is not empty.");
                }
                first.get(alternative.rule()).add(rule);
                before.get(rule).add(alternative.rule());
                if (isNeeded(symbol) && !nullable[rule]) {
                    break;
                }
            }
        }
        // What begins with no rule is taken away, again and again: a cycle stays.
        int[] open = first.stream().mapToInt(List::size).toArray();
        ArrayDeque<Integer> closed = new ArrayDeque<>();
        for (int rule = 0; rule < open.length; rule++) {
            if (open[rule] == 0) {
                closed.add(rule);
            }
        }
        int left = open.length - closed.size();
        while (!closed.isEmpty()) {
            for (int user : before.get(closed.remove())) {
                if (--open[user] == 0) {
                    closed.add(user);
                    left--;
                }
            }
        }
        if (left > 0) {
            throw new ObrException("In " + name(onCycle(first, open))
                    + " something is defined as itself: a reference must not lead back to where it stands.");
        }
    }

    /** A rule on a cycle, which is where the way along rules with open beginnings ends up. */
    private static int onCycle(List<List<Integer>> first, int[] open) {
        boolean[] seen = new boolean[open.length];
        int rule = 0;
        while (open[rule] == 0) {
            rule++;
        }
        while (!seen[rule]) {
            seen[rule] = true;
            rule = first.get(rule).stream()
                    .filter(next -> open[next] > 0)
                    .findFirst()
                    .orElseThrow();
        }
        return rule;
    }

    private String name(int rule) {
        return Excerpt.of(names.get(rule));
    }

    private Grammar lay(List<Alternative> alternatives, int start) {
        List<Symbol> symbols = new ArrayList<>();
        int[][] starts = new int[names.size()][0];
        int[] counts = new int[names.size()];
        for (Alternative alternative : alternatives) {
            counts[alternative.rule()]++;
        }
        Arrays.setAll(starts, rule -> new int[counts[rule]]);
        for (Alternative alternative : alternatives) {
            int[] own = starts[alternative.rule()];
            own[own.length - counts[alternative.rule()]--] = symbols.size();
            symbols.addAll(alternative.symbols());
            symbols.add(new End());
        }
        return new Grammar(symbols.toArray(Symbol[]::new), starts, start);
    }
}
