package dev.obr.models.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** What holds for every text and every sequence of tokens. */
class TokenizerPropertiesTest {
    /** {@code \s} of the published expressions: Unicode's White_Space. */
    private static final String SPACE = "\\t-\\r \\x85\\xA0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000";

    private static final Map<SplitRule, Pattern> PUBLISHED = Map.of(
            SplitRule.GPT_2,
            published("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"),
            SplitRule.LLAMA_BPE,
            published("(?iu:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
                    + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
            SplitRule.QWEN2,
            published("(?iu:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
                    + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"));

    private static final List<GgufTokenizer> TOKENIZERS = List.of(
            Fixture.read("llama-bpe").tokenizer(),
            Fixture.read("smollm").tokenizer(),
            Fixture.read("default").tokenizer(),
            Fixture.read("sentencepiece").tokenizer());

    private static Pattern published(String expression) {
        return Pattern.compile(expression
                .replace("[^\\s", "[^" + SPACE)
                .replace("\\S", "[^" + SPACE + "]")
                .replace("\\s", "[" + SPACE + "]"));
    }

    /** Any text, and text made of the characters that split rules tell apart. */
    @Provide
    Arbitrary<String> texts() {
        Arbitrary<String> tricky = Arbitraries.of(
                        "a", "B", "é", "日", "1", "٣", "½", " ", " ", "\n", "\r", "\t", "'", "'s", "'LL", "ſ", ".", "$",
                        "_", "🙂", "\u0301", "\u00a0", "\u0085", "\u3000", "\u001c", "\u200b")
                .list()
                .ofMaxSize(20)
                .map(parts -> String.join("", parts));
        return Arbitraries.oneOf(tricky, Arbitraries.strings().ofMaxLength(40));
    }

    @Property(seed = "1")
    void decodingGivesTheEncodedTextBack(@ForAll("texts") String text, @ForAll @IntRange(max = 3) int which) {
        GgufTokenizer tokenizer = TOKENIZERS.get(which);
        String expected = CodePoints.wellFormed(text);
        if (tokenizer.dropsLeadingSpace()) {
            expected = expected.replace('▁', ' ');
        }
        assertThat(tokenizer.decode(tokenizer.encode(text, false))).isEqualTo(expected);
    }

    @Property(seed = "1")
    void splitRulesCutLikeThePublishedExpressions(@ForAll("texts") String text) {
        String wellFormed = CodePoints.wellFormed(text);
        PUBLISHED.forEach((rule, expression) -> {
            List<String> words = new ArrayList<>();
            rule.split(wellFormed, 0, wellFormed.length(), (start, end) -> words.add(wellFormed.substring(start, end)));
            List<String> expected = new ArrayList<>();
            Matcher matcher = expression.matcher(wellFormed);
            while (matcher.find()) {
                expected.add(matcher.group());
            }
            assertThat(words).as(rule.name()).isEqualTo(expected);
        });
    }

    @Property(seed = "1")
    void streamedTextIsWholeCharactersAndEqualsTheTokensBytes(
            @ForAll List<@IntRange(max = 619) Integer> ids, @ForAll @IntRange(max = 3) int which) {
        GgufTokenizer tokenizer = TOKENIZERS.get(which);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        TextStream stream = new TextStream(tokenizer);
        StringBuilder streamed = new StringBuilder();
        for (int id : ids) {
            bytes.writeBytes(tokenizer.bytes(id));
            String step = stream.append(id);
            assertThat(CodePoints.wellFormed(step)).as("a flush is valid UTF-8").isEqualTo(step);
            streamed.append(step);
        }
        streamed.append(stream.finish());
        String expected = bytes.toString(StandardCharsets.UTF_8);
        boolean drop = tokenizer.dropsLeadingSpace() && expected.startsWith(" ");
        assertThat(streamed.toString()).isEqualTo(drop ? expected.substring(1) : expected);
    }

    @Property(seed = "1")
    void streamingAValidTextNeverShowsReplacementCharacters(
            @ForAll("texts") String text, @ForAll @IntRange(max = 3) int which) {
        GgufTokenizer tokenizer = TOKENIZERS.get(which);
        String valid = CodePoints.wellFormed(text).replace("\uFFFD", "?");
        TextStream stream = new TextStream(tokenizer);
        for (int id : tokenizer.encode(valid, false)) {
            assertThat(stream.append(id)).doesNotContain("\uFFFD");
        }
        assertThat(stream.finish()).isEmpty();
    }
}
