package dev.obr.runtime.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.runtime.grammar.CodePointSet.Range;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Sets of characters against Java's own UTF-8. */
class CodePointSetTest {
    private static final int[] EDGES = {
        0, 1, 0x7E, 0x7F, 0x80, 0x81, 0xBF, 0xC0, 0x7FF, 0x800, 0xFFF, 0x1000, 0xD7FE, 0xD7FF, 0xE000, 0xFFFE, 0xFFFF,
        0x10000, 0x10001, 0x3FFFF, 0x40000, 0xFFFFF, 0x100000, 0x10FFFE, 0x10FFFF
    };

    @Test
    void utf8OfASetIsThatOfItsCharacters() {
        Random random = new Random(1);
        for (int round = 0; round < 50; round++) {
            int[] ends = new int[2 * (1 + random.nextInt(3))];
            for (int i = 0; i < ends.length; i++) {
                ends[i] = codePoint(random);
            }
            Range[] ranges = new Range[ends.length / 2];
            for (int i = 0; i < ranges.length; i++) {
                ranges[i] = new Range(Math.min(ends[2 * i], ends[2 * i + 1]), Math.max(ends[2 * i], ends[2 * i + 1]));
            }
            CodePointSet set = CodePointSet.of(ranges);
            Grammar grammar = grammar(set);
            Grammar others = set.complement().isEmpty() ? grammar : grammar(set.complement());
            TreeSet<Integer> probes = new TreeSet<>();
            for (int i = 0; i < 40; i++) {
                probes.add(codePoint(random));
            }
            for (int end : ends) {
                probes.add(Math.max(0, end - 1));
                probes.add(Math.min(0x10FFFF, end + 1));
            }
            for (int probe : probes) {
                if (probe >= 0xD800 && probe <= 0xDFFF) {
                    continue;
                }
                boolean expected = false;
                for (Range range : ranges) {
                    expected |= range.first() <= probe && probe <= range.last();
                }
                assertThat(Reading.accepts(grammar, Character.toString(probe)))
                        .as("U+%X in %s", probe, set)
                        .isEqualTo(expected);
                if (others != grammar) {
                    assertThat(Reading.accepts(others, Character.toString(probe)))
                            .isNotEqualTo(expected);
                }
            }
        }
    }

    @Test
    void allCharactersAreWellFormedUtf8AndNothingElse() {
        Grammar grammar = grammar(CodePointSet.ALL);
        Random random = new Random(2);
        int wellFormed = 0;
        for (int round = 0; round < 40_000; round++) {
            byte[] bytes = new byte[1 + random.nextInt(4)];
            random.nextBytes(bytes);
            for (int i = 1; i < bytes.length; i++) {
                bytes[i] = random.nextInt(8) > 0 ? (byte) (0x80 | bytes[i] & 0x3F) : bytes[i];
            }
            boolean expected = isOneCharacter(bytes);
            wellFormed += expected ? 1 : 0;
            assertThat(Reading.accepts(grammar, bytes)).isEqualTo(expected);
        }
        assertThat(wellFormed).isGreaterThan(2_000);
    }

    private static boolean isOneCharacter(byte[] bytes) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            return text.codePointCount(0, text.length()) == 1;
        } catch (CharacterCodingException malformed) {
            return false;
        }
    }

    private static Grammar grammar(CodePointSet set) {
        GrammarBuilder builder = new GrammarBuilder();
        return builder.build(builder.rule("a character", set.utf8()));
    }

    private static int codePoint(Random random) {
        int c;
        do {
            c = random.nextBoolean()
                    ? EDGES[random.nextInt(EDGES.length)]
                    : random.nextInt(1 << 4 * (1 + random.nextInt(5)));
        } while (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF));
        return c;
    }
}
