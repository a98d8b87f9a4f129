package dev.obr.models.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import org.assertj.core.api.SoftAssertions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Vocabularies inside GGUF files against the tokenizers and sentencepiece libraries (src/test/resources/tokenizers/PROVENANCE.md). */
class GgufTokenizerTest {
    private static final String K = "tokenizer.ggml.";

    @ParameterizedTest
    @ValueSource(
            strings = {"llama-bpe", "qwen2", "gpt-2", "smollm", "default", "sentencepiece", "sentencepiece-no-prefix"})
    void encodesAsTheReferenceDoes(String name) {
        Fixture fixture = Fixture.read(name);
        GgufTokenizer tokenizer = fixture.tokenizer();
        SoftAssertions softly = new SoftAssertions();
        for (String kind : new String[] {"plain", "special"}) {
            for (Fixture.Case c : fixture.cases(kind)) {
                softly.assertThat(tokenizer.encode(c.text(), false))
                        .as(c.text())
                        .isEqualTo(c.ids());
            }
        }
        for (Fixture.Case c : fixture.cases("plain")) {
            softly.assertThat(tokenizer.decode(c.ids())).as("decoded").isEqualTo(decoded(name, c.text()));
        }
        softly.assertAll();
    }

    /** SentencePiece writes spaces as ▁, so a ▁ in the text comes back as a space. */
    private static String decoded(String name, String text) {
        return name.startsWith("sentencepiece") ? text.replace('▁', ' ') : text;
    }

    @Test
    void addsWhatTheModelExpectsAroundAText() {
        Map<String, Object> sentencePiece = Fixture.read("sentencepiece").metadata();
        GgufTokenizer tokenizer = GgufTokenizer.create(sentencePiece, "spm.gguf");
        assertThat(tokenizer.encode("", true)).containsExactly(1);
        assertThat(tokenizer.encode("", false)).isEmpty();
        sentencePiece.put(K + "add_eos_token", true);
        sentencePiece.remove(K + "add_bos_token");
        assertThat(GgufTokenizer.create(sentencePiece, "spm.gguf").encode("", true))
                .containsExactly(1, 2);

        Map<String, Object> llama3 = Fixture.read("llama-bpe").metadata();
        llama3.remove(K + "add_bos_token");
        int begin = ((Number) Objects.requireNonNull(llama3.get(K + "bos_token_id"))).intValue();
        assertThat(GgufTokenizer.create(llama3, "llama3.gguf").encode("a", true)[0])
                .isEqualTo(begin);
        Map<String, Object> qwen2 = Fixture.read("qwen2").metadata();
        qwen2.remove(K + "add_bos_token");
        assertThat(GgufTokenizer.create(qwen2, "qwen2.gguf").encode("", true)).isEmpty();
    }

    @Test
    void controlTokensGiveNoBytesAndUserDefinedOnesDo() {
        GgufTokenizer tokenizer = Fixture.read("qwen2").tokenizer();
        assertThat(tokenizer.bytes(tokenizer.id("<|eot|>"))).isEmpty();
        assertThat(tokenizer.piece(tokenizer.id("<|eot|>"))).isEqualTo("<|eot|>");
        assertThat(tokenizer.bytes(tokenizer.id("<tool>"))).asString().isEqualTo("<tool>");
        assertThat(tokenizer.id("no such token")).isEqualTo(-1);
        assertThatThrownBy(() -> tokenizer.bytes(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> tokenizer.piece(tokenizer.vocabularySize()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void unpairedSurrogatesBecomeReplacementCharacters() {
        GgufTokenizer tokenizer = Fixture.read("gpt-2").tokenizer();
        assertThat(tokenizer.decode(tokenizer.encode("a\uD83Db \uDE42 🙂", false)))
                .isEqualTo("a\uFFFDb \uFFFD 🙂");
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama-bpe", "default", "sentencepiece"})
    void aMillionCharactersWithoutASpaceTakeNoQuadraticTime(String name) {
        GgufTokenizer tokenizer = Fixture.read(name).tokenizer();
        for (String part : new String[] {"a", "the", "\n"}) {
            String text = part.repeat(1_000_000 / part.length());
            // Quadratic merging would take hours.
            int[] ids = Assertions.assertTimeout(Duration.ofSeconds(60), () -> tokenizer.encode(text, false));
            assertThat(tokenizer.decode(ids)).isEqualTo(text);
        }
    }

    @Test
    void badMetadataIsOneClearSentence() {
        assertFails("qwen2", "model", null, "x.gguf: tokenizer.ggml.model is missing");
        assertFails("qwen2", "model", "rwkv", "x.gguf: the tokenizer kind 'rwkv'");
        assertFails(
                "qwen2", "pre", "tekken", "split rule 'tekken'", "llama-bpe", "smollm", "qwen2", "gpt-2", "default");
        assertFails("qwen2", "tokens", null, "tokenizer.ggml.tokens is missing");
        assertFails("qwen2", "tokens", new String[0], "tokenizer.ggml.tokens is empty");
        assertFails("qwen2", "tokens", 7L, "tokenizer.ggml.tokens is of type Long, expected an array of strings");
        assertFails("qwen2", "token_type", new int[3], "tokenizer.ggml.token_type has 3 entries for");
        assertFails("qwen2", "merges", null, "tokenizer.ggml.merges is missing");
        assertFails("qwen2", "merges", new String[] {"ab"}, "merge 0 is 'ab'");
        assertFails("qwen2", "merges", new String[] {"a b c"}, "merge 0 is 'a b c'");
        assertFails("qwen2", "merges", new String[] {"a Ω"}, "merge 0 needs the token 'Ω'");
        assertFails("qwen2", "bos_token_id", 1L << 40, "tokenizer.ggml.bos_token_id", true);
        assertFails("sentencepiece", "scores", null, "tokenizer.ggml.scores is missing");
        assertFails("sentencepiece", "scores", new float[] {1}, "tokenizer.ggml.scores has 1 entries for");
        assertFails("sentencepiece", "bos_token_id", 100_000L, "tokenizer.ggml.bos_token_id is 100000, outside");
        assertFails("sentencepiece", "add_bos_token", "yes", "tokenizer.ggml.add_bos_token is of type String");
    }

    private static void assertFails(String fixture, String key, @Nullable Object value, Object... parts) {
        Map<String, Object> metadata = Fixture.read(fixture).metadata();
        if (parts[parts.length - 1] instanceof Boolean addBos) {
            metadata.put(K + "add_bos_token", addBos);
            parts = Arrays.copyOf(parts, parts.length - 1);
        }
        if (value == null) {
            metadata.remove(K + key);
        } else {
            metadata.put(K + key, value);
        }
        String[] sentence = Arrays.copyOf(parts, parts.length, String[].class);
        assertThatThrownBy(() -> GgufTokenizer.create(metadata, "x.gguf"))
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith("x.gguf: ")
                .hasMessageContainingAll(sentence);
    }
}
