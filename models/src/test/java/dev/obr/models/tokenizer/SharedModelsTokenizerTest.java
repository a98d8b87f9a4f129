package dev.obr.models.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.models.gguf.GgufFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Real models and long texts that lie beside the checkout; skipped where they are missing. */
class SharedModelsTokenizerTest {
    private static final Path SHARED = Path.of(System.getProperty("obr.shared", ""));
    private static final Path SMOLLM2 = SHARED.resolve("models/smollm2-135m-instruct");

    @Test
    void smollm2EncodesAsTransformersDoes() throws IOException {
        Tokenizer tokenizer = smollm2();
        JsonNode golden = JsonMapper.builder().build().readTree(Files.readAllBytes(SMOLLM2.resolve("golden.json")));
        for (Fixture.Case c : Fixture.encodings(golden.get("encodings"))) {
            assertThat(tokenizer.encode(c.text(), true)).as(c.text()).isEqualTo(c.ids());
        }
        for (JsonNode c : golden.get("cases")) {
            assertThat(tokenizer.encode(c.get("prompt").asString(), true)).isEqualTo(Fixture.ids(c.get("prompt_ids")));
        }
        for (JsonNode c : golden.get("chat_cases")) {
            String prompt = c.get("prompt_text").asString();
            assertThat(tokenizer.encode(prompt, false)).isEqualTo(Fixture.ids(c.get("prompt_ids")));
        }
    }

    @Test
    void wikiText2HasThePublishedNumberOfTokens() throws IOException {
        Tokenizer tokenizer = smollm2();
        String text = Files.readString(present(SHARED.resolve("data/wikitext2_raw_test.joined.txt")));
        assertThat(tokenizer.encode(text, false)).hasSize(304_978);
    }

    @Test
    void everyLineOfWikiText2ComesBack() throws IOException {
        Path lines = present(SHARED.resolve("data/wikitext2_raw.wiki.test.raw"));
        try (HuggingFaceTokenizer books = HuggingFaceTokenizer.load(present(SHARED.resolve("models/obr-books-7m")));
                HuggingFaceTokenizer stories =
                        HuggingFaceTokenizer.load(present(SHARED.resolve("models/stories260K")))) {
            for (Tokenizer tokenizer : new Tokenizer[] {smollm2(), books, stories}) {
                for (String line : Files.readAllLines(lines)) {
                    assertThat(tokenizer.decode(tokenizer.encode(line, false))).isEqualTo(line);
                    assertThat(tokenizer.decode(tokenizer.encode(line, true))).isEqualTo(line);
                }
            }
        }
    }

    private static Tokenizer smollm2() {
        Path file = present(SMOLLM2.resolve("SmolLM2-135M-Instruct.Q4_1.gguf"));
        try (Arena arena = Arena.ofConfined()) {
            return GgufTokenizer.create(GgufFile.map(file, arena).metadata(), file.toString());
        }
    }

    private static Path present(Path path) {
        Assumptions.assumeTrue(Files.exists(path), path + " is missing");
        return path;
    }
}
