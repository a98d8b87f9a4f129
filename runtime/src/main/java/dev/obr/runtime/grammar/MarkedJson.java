package dev.obr.runtime.grammar;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Grammars of texts that may hold JSON values between two marks, such as the calls of an answer:
 *
 * <pre>
 *   any text  opening  value  closing  any text  opening  value  closing ...
 * </pre>
 *
 * <p>Any text is one without the opening mark. Its rules are the automaton that looks for the mark: rule i stands where the last i bytes begin it, and what follows is in tail position, so
 * that reading leaves nothing behind.
 */
public final class MarkedJson {
    private MarkedJson() {}

    /**
     * The grammar of texts in which nothing but values of a schema stand behind {@code opening}.
     *
     * @param marked the schema of values between the marks
     * @param otherwise the schema of texts without marks, which then are nothing but a value of it; null for any text
     * @throws dev.obr.kernels.ObrException as {@link JsonSchema#grammar(JsonNode)}
     */
    public static Grammar grammar(String opening, JsonNode marked, String closing, @Nullable JsonNode otherwise) {
        if (opening.isEmpty()) {
            throw new IllegalArgumentException("a mark must not be empty");
        }
        GrammarBuilder grammar = new GrammarBuilder();
        int lineEnd = grammar.rule("a line end", Sequence.of(""), Sequence.of("\n"));
        int value = new SchemaRules(grammar, marked).root();
        Sequence between = Sequence.of(lineEnd).rule(value).rule(lineEnd).text(closing);
        int start = otherwise == null
                ? anyText(grammar, opening.getBytes(StandardCharsets.UTF_8), between)
                : alone(grammar, opening, between.rule(lineEnd), new SchemaRules(grammar, otherwise).root());
        return grammar.build(start);
    }

    /** Marked values and nothing else, or one value that is not marked. */
    private static int alone(GrammarBuilder grammar, String opening, Sequence between, int otherwise) {
        int marked = grammar.rule("a marked value", Sequence.of(opening).then(between));
        return grammar.rule("a text", Sequence.of(otherwise), new Sequence().repeat(marked, 1, Symbol.Repeat.ENDLESS));
    }

    private static int anyText(GrammarBuilder grammar, byte[] mark, Sequence between) {
        int[] behind = new int[mark.length]; // by how many bytes of the mark were read
        Arrays.setAll(behind, i -> grammar.rule("a text"));
        for (int i = 0; i < mark.length; i++) {
            ByteSet[] to = new ByteSet[mark.length + 1];
            Arrays.fill(to, ByteSet.NONE);
            for (int b = 0; b < 256; b++) {
                int j = begun(mark, i, b);
                to[j] = to[j].or(ByteSet.range(b, b));
            }
            grammar.add(behind[i], Sequence.of(""));
            for (int j = 0; j < mark.length; j++) {
                if (!to[j].equals(ByteSet.NONE)) {
                    grammar.add(behind[i], new Sequence().bytes(to[j]).rule(behind[j]));
                }
            }
            if (!to[mark.length].equals(ByteSet.NONE)) {
                grammar.add(
                        behind[i],
                        new Sequence().bytes(to[mark.length]).then(between).rule(behind[0]));
            }
        }
        return behind[0];
    }

    /** How many bytes of the mark are read when {@code b} follows its first {@code read} ones. */
    private static int begun(byte[] mark, int read, int b) {
        byte[] text = Arrays.copyOf(mark, read + 1);
        text[read] = (byte) b;
        int length = read + 1;
        while (!Arrays.equals(text, read + 1 - length, read + 1, mark, 0, length)) {
            length--;
        }
        return length;
    }
}
