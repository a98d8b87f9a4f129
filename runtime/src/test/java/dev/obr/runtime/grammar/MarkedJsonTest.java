package dev.obr.runtime.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** Random texts, against a regular expression that says the same. */
class MarkedJsonTest {
    private static final String MARK = "<<ab>"; // whose beginning may begin again within it
    private static final JsonNode BIT = JsonNodeFactory.instance
            .objectNode()
            .put("type", "integer")
            .put("minimum", 0)
            .put("maximum", 1);
    private static final JsonNode TRUTH = JsonNodeFactory.instance.objectNode().put("type", "boolean");
    private static final String[] PIECES = {"<", "a", "b", ">", MARK, "0", "1", "!", "\n", "<<", "1!", "é", "true"};

    @Test
    void anyTextBetweenMarkedValues() {
        Pattern expected = Pattern.compile("(?s)((?!<<ab>).)*(<<ab>\n?[01]\n?!((?!<<ab>).)*)*");
        compare(MarkedJson.grammar(MARK, BIT, "!", null), expected);
    }

    @Test
    void aValueOrMarkedValues() {
        Pattern expected = Pattern.compile("true|false|(<<ab>\n?[01]\n?!\n?)+");
        compare(MarkedJson.grammar(MARK, BIT, "!", TRUTH), expected);
    }

    private static void compare(Grammar grammar, Pattern expected) {
        Random random = new Random(1);
        int accepted = 0;
        int refused = 0;
        for (int round = 0; round < 20_000; round++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(8); n > 0; n--) {
                text.append(PIECES[random.nextInt(PIECES.length)]);
                boolean follows = text.toString().endsWith(MARK) && random.nextBoolean();
                text.append(follows ? "1!" : "");
            }
            boolean right = expected.matcher(text).matches();
            accepted += right ? 1 : 0;
            refused += right ? 0 : 1;
            assertThat(Reading.accepts(grammar, text.toString())).as("%s", text).isEqualTo(right);
        }
        assertThat(accepted).isGreaterThan(100);
        assertThat(refused).isGreaterThan(100);
    }
}
