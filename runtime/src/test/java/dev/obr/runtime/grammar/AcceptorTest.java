package dev.obr.runtime.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Grammars written by hand, against what they mean. */
class AcceptorTest {
    private final GrammarBuilder grammar = new GrammarBuilder();

    @Test
    void nestingIsRemembered() {
        // pairs = "" | "(" pairs ")" pairs | "[" pairs "]" pairs
        int pairs = grammar.rule("pairs", Sequence.of(""));
        grammar.add(pairs, Sequence.of("(").rule(pairs).text(")").rule(pairs));
        grammar.add(pairs, Sequence.of("[").rule(pairs).text("]").rule(pairs));
        Grammar built = grammar.build(pairs);
        Random random = new Random(1);
        int balanced = 0;
        for (int round = 0; round < 20_000; round++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(9); n > 0; n--) {
                text.append("()[]".charAt(random.nextInt(4)));
            }
            boolean expected = isBalanced(text.toString());
            balanced += expected ? 1 : 0;
            assertThat(Reading.accepts(built, text.toString())).as("%s", text).isEqualTo(expected);
        }
        assertThat(balanced).isGreaterThan(500);
    }

    private static boolean isBalanced(String text) {
        String rest = text;
        for (String shorter = ""; !shorter.equals(rest); ) {
            shorter = rest;
            rest = rest.replace("()", "").replace("[]", "");
        }
        return rest.isEmpty();
    }

    @Test
    void repetitionsAreCounted() {
        int[][] bounds = {{0, 0}, {0, 1}, {1, 1}, {0, 3}, {2, 5}, {3, 3}, {0, -1}, {1, -1}, {4, -1}};
        for (int[] bound : bounds) {
            GrammarBuilder builder = new GrammarBuilder();
            int unit = builder.rule("unit", Sequence.of("a"), Sequence.of("bc"));
            int start = builder.rule(
                    "start", new Sequence().repeat(unit, bound[0], bound[1]).text("!"));
            Grammar built = builder.build(start);
            for (int n = 0; n < 9; n++) {
                boolean expected = n >= bound[0] && (bound[1] < 0 || n <= bound[1]);
                assertThat(Reading.accepts(built, "a".repeat(n) + "!")).isEqualTo(expected);
                assertThat(Reading.accepts(built, "bc".repeat(n) + "!")).isEqualTo(expected);
                assertThat(Reading.accepts(built, "bc".repeat(n) + "b!")).isFalse();
            }
        }
    }

    @Test
    void endlessRepetitionsStayOneState() {
        int unit = grammar.rule("unit", Sequence.of("a"));
        int start = grammar.rule("start", new Sequence().repeat(unit, 3, Symbol.Repeat.ENDLESS));
        Acceptor acceptor = new Acceptor(grammar.build(start));
        Acceptor.State state = acceptor.start();
        for (int n = 0; n < 1000; n++) {
            assertThat(state.mayEnd()).isEqualTo(n >= 3);
            state = Objects.requireNonNull(acceptor.after(state, 'a'));
        }
        assertThat(acceptor.states()).isLessThan(6);
    }

    @Test
    void recursionAtTheEndOfARuleLeavesNoStack() {
        int list = grammar.rule("list", Sequence.of("."));
        grammar.add(list, Sequence.of(",").rule(list));
        Acceptor acceptor = new Acceptor(grammar.build(list));
        assertThat(acceptor.after(acceptor.start(), ",".repeat(10_000).getBytes()))
                .isNotNull();
        assertThat(acceptor.states()).isLessThan(4);
    }

    @Test
    void whatHasNoTextIsTakenOut() {
        int endless = grammar.rule("endless");
        grammar.add(endless, Sequence.of("(").rule(endless).text(")"));
        int start = grammar.rule("start", Sequence.of("a").rule(endless), Sequence.of("ab"));
        grammar.add(start, Sequence.of("c").repeat(endless, 0, 5).text("d"));
        Grammar built = grammar.build(start);
        assertThat(Reading.accepts(built, "ab")).isTrue();
        assertThat(Reading.accepts(built, "cd")).isTrue();
        assertThat(Reading.begins(built, "a(")).isFalse();
        assertThat(Reading.begins(built, "c(")).isFalse();
        assertThatThrownBy(() -> grammar.build(endless))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("endless");
    }

    @Test
    void whatBeginsWithItselfIsRefused() {
        int blank = grammar.rule("blank", Sequence.of(""), Sequence.of(" "));
        int left = grammar.rule("left", Sequence.of("a"));
        int other = grammar.rule("other", Sequence.of(blank).rule(left).text("b"));
        grammar.add(left, Sequence.of(other));
        int start = grammar.rule("start", Sequence.of(left));
        assertThatThrownBy(() -> grammar.build(start))
                .isInstanceOf(ObrException.class)
                .hasMessageMatching(".*(left|other) something is defined as itself.*");
    }

    @Test
    void repeatingWhatMayBeEmptyIsRefused() {
        int blank = grammar.rule("blank", Sequence.of(""), Sequence.of(" "));
        int start = grammar.rule("start", new Sequence().repeat(blank, 0, 3));
        assertThatThrownBy(() -> grammar.build(start))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("blank");
    }

    @Test
    void forgettingKeepsThePlace() {
        int pairs = grammar.rule("pairs", Sequence.of("x"));
        grammar.add(pairs, Sequence.of("(").rule(pairs).text(")"));
        Acceptor acceptor = new Acceptor(grammar.build(pairs));
        Acceptor.State state = acceptor.start();
        for (byte b : ("(".repeat(40) + "x" + ")".repeat(40)).getBytes()) {
            assertThat(state.mayEnd()).isFalse();
            state = acceptor.forget(Objects.requireNonNull(acceptor.after(state, b)));
        }
        assertThat(state.mayEnd()).isTrue();
        assertThat(state.mayContinue()).isFalse();
    }
}
