package dev.obr.runtime.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class StopMatcherTest {
    @Test
    void holdsBackWhatMayBecomeAStop() {
        StopMatcher matcher = new StopMatcher(List.of("\nUser:"));
        assertThat(matcher.append("Hello.\nUs")).isEqualTo("Hello.");
        assertThat(matcher.append("ually")).isEqualTo("\nUsually");
        assertThat(matcher.append(" so\nUser")).isEqualTo(" so");
        assertThat(matcher.append(": no")).isEmpty();
        assertThat(matcher.stopped()).isTrue();
        assertThat(matcher.finish()).isEmpty();
    }

    @Test
    void releasesTheRestAtTheEnd() {
        StopMatcher matcher = new StopMatcher(List.of("END"));
        assertThat(matcher.append("the EN")).isEqualTo("the ");
        assertThat(matcher.finish()).isEqualTo("EN");
    }

    @Property(tries = 500)
    void anyCutIntoPiecesGivesTheTextBeforeTheFirstStop(
            @ForAll("pieces") List<String> pieces,
            @ForAll @Size(max = 3) List<@net.jqwik.api.From("stop") String> stops) {
        StopMatcher matcher = new StopMatcher(stops);
        StringBuilder shown = new StringBuilder();
        pieces.forEach(piece -> shown.append(matcher.append(piece)));
        shown.append(matcher.finish());
        assertThat(shown.toString()).isEqualTo(cut(pieces, stops));
    }

    @Provide
    Arbitrary<List<String>> pieces() {
        return Arbitraries.strings().withChars('a', 'b').ofMaxLength(4).list().ofMaxSize(12);
    }

    @Provide
    Arbitrary<String> stop() {
        return Arbitraries.strings().withChars('a', 'b').ofMinLength(2).ofMaxLength(4);
    }

    /** The text up to the stop that is completed first; among those completed by the same piece, the one that starts first. */
    private static String cut(List<String> pieces, List<String> stops) {
        String text = "";
        for (String piece : pieces) {
            text += piece;
            int first = text.length() + 1;
            for (String stop : stops) {
                int at = text.indexOf(stop);
                if (at >= 0) {
                    first = Math.min(first, at);
                }
            }
            if (first <= text.length()) {
                return text.substring(0, first);
            }
        }
        return text;
    }
}
