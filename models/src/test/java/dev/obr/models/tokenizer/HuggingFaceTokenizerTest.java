package dev.obr.models.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** {@code tokenizer.json} against transformers: one byte-level vocabulary (the demo model's), one of SentencePiece's kind. */
class HuggingFaceTokenizerTest {
    @Test
    void byteLevelEncodingsEqualTheReference() {
        try (HuggingFaceTokenizer tokenizer = demo()) {
            for (Fixture.Case c :
                    Fixture.encodings(Fixture.read("obr-books-7m-encodings").json())) {
                assertThat(tokenizer.encode(c.text(), true)).as(c.text()).isEqualTo(c.ids());
                assertThat(tokenizer.decode(c.ids())).isEqualTo(c.text());
            }
            assertThat(tokenizer.dropsLeadingSpace()).isFalse();
            assertThat(tokenizer.vocabularySize()).isEqualTo(4096);
            assertThat(tokenizer.id("<|end_of_text|>")).isEqualTo(1);
            assertThat(tokenizer.piece(1)).isEqualTo("<|end_of_text|>");
            assertThat(tokenizer.bytes(1)).isEmpty();
            assertThat(tokenizer.encode("a<|end_of_text|>", false)).endsWith(1);
        }
    }

    @Test
    void sentencePieceEncodingsEqualTheReference() {
        try (HuggingFaceTokenizer tokenizer = stories("{}")) {
            for (Fixture.Case c :
                    Fixture.encodings(Fixture.read("stories260K-encodings").json())) {
                assertThat(tokenizer.encode(c.text(), true)).as(c.text()).isEqualTo(c.ids());
                assertThat(tokenizer.decode(c.ids())).isEqualTo(c.text());
            }
            assertThat(tokenizer.dropsLeadingSpace()).isTrue();
        }
    }

    @Test
    void everyDifficultTextComesBack() {
        try (HuggingFaceTokenizer demo = demo();
                HuggingFaceTokenizer stories = stories("{}")) {
            for (Fixture.Case c : Fixture.read("gpt-2").cases("plain")) {
                assertThat(demo.decode(demo.encode(c.text(), false))).isEqualTo(c.text());
                assertThat(stories.decode(stories.encode(c.text(), false)))
                        .isEqualTo(c.text().replace('▁', ' '));
            }
            assertThat(demo.decode(demo.encode("a\uD83Db 🙂", false))).isEqualTo("a\uFFFDb 🙂");
        }
    }

    @Test
    void llama2ClassesObeyTheConfiguration() {
        String llama = "\"tokenizer_class\": \"LlamaTokenizerFast\"";
        try (HuggingFaceTokenizer both = stories("{" + llama + ", \"add_bos_token\": true, \"add_eos_token\": true}");
                HuggingFaceTokenizer none = stories("{" + llama + ", \"add_bos_token\": false}");
                HuggingFaceTokenizer other = stories("{\"add_bos_token\": false}")) {
            assertThat(both.encode("", true)).containsExactly(1, 2);
            assertThat(none.encode("", true)).isEmpty();
            assertThat(other.encode("", true)).as("the post-processor decides").containsExactly(1);
        }
    }

    @Test
    void readsAFolder(@TempDir Path folder) throws IOException {
        Files.write(folder.resolve("tokenizer.json"), Fixture.bytes("stories260K.json"));
        try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(folder)) {
            assertThat(tokenizer.vocabularySize()).isEqualTo(512);
        }
        assertThatThrownBy(() -> HuggingFaceTokenizer.load(folder.resolve("missing.json")))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("missing.json can't be read");
    }

    @Test
    void closedTokenizersSaySo() {
        HuggingFaceTokenizer tokenizer = stories("{}");
        tokenizer.close();
        tokenizer.close();
        assertThatThrownBy(() -> tokenizer.encode("a", true)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void badFilesAreOneClearSentence() {
        assertFails("{", "is not valid JSON");
        assertFails("[]", "is not a JSON object");
        assertFails(json().replace("\"BPE\"", "\"Unigram\""), "its model is of type Unigram, only BPE is supported");
        assertFails(json().replace("\"ByteFallback\"", "\"CTC\""), "its decoder {\"type\":\"CTC\"} is not supported");
        assertFails(json().replace("\"<0x00>\": 3", "\"<0x00>\": -3"), "the id of token '<0x00>' is -3");
        assertFails(json().replace("\"<0x00>\": 3", "\"<0x00>\": 4"), "both have id 4");
        assertFails(json().replace("\"▁ t\"", "\"▁ ☃\""), "can't be used as a tokenizer");
    }

    private static void assertFails(String json, String part) {
        assertThatThrownBy(() ->
                        HuggingFaceTokenizer.load(json.getBytes(StandardCharsets.UTF_8), null, "x/tokenizer.json"))
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith("x/tokenizer.json")
                .hasMessageContaining(part)
                .message()
                .doesNotContain("\n");
    }

    static HuggingFaceTokenizer demo() {
        try (InputStream in =
                HuggingFaceTokenizerTest.class.getResourceAsStream("/dev/obr/models/demo/tokenizer.json")) {
            return HuggingFaceTokenizer.load(in.readAllBytes(), null, "demo/tokenizer.json");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static HuggingFaceTokenizer stories(String config) {
        return HuggingFaceTokenizer.load(
                Fixture.bytes("stories260K.json"),
                JsonMapper.builder().build().readTree(config),
                "stories260K/tokenizer.json");
    }

    private static String json() {
        return new String(Fixture.bytes("stories260K.json"), StandardCharsets.UTF_8);
    }
}
