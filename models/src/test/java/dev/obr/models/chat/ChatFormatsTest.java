package dev.obr.models.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.models.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Chat prompts against Jinja's rendering of the models' own templates (src/test/resources/chat/PROVENANCE.md). */
class ChatFormatsTest {
    private static final Map<String, String> END_OF_TURN = Map.of(
            "chatml", "<|im_end|>", "llama-2", "</s>", "llama-3", "<|eot_id|>", "mistral", "</s>", "zephyr", "</s>");

    static Stream<JsonNode> golden() {
        return JsonMapper.builder().build().readTree(resource("golden.json")).valueStream();
    }

    @ParameterizedTest
    @MethodSource("golden")
    void promptsEqualTheTemplatesOwn(JsonNode golden) {
        String name = golden.get("template").asString();
        ChatFormat format = detect(template(name), "llama", tokenizer(bos(name)));
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode message : golden.get("messages")) {
            String role = message.get("role").asString().toUpperCase(Locale.ROOT);
            messages.add(new ChatMessage(
                    ChatMessage.Role.valueOf(role), message.get("content").asString()));
        }
        String expected = golden.get("prompt").asString();
        if (name.equals("llama-3.2")) { // this one asks for today's date
            format = Objects.requireNonNull(Llama3.read(
                    template(name).replace('"', '\'').replace("\\n", "\n"), bos(name), LocalDate.of(2026, 3, 5)));
        }
        assertThat(format.prompt(messages)).isEqualTo(expected);
        assertThat(format.endOfTurn()).containsExactly(END_OF_TURN.get(format.name()));
        String family = Stream.of("llama-2", "llama-3", "mistral", "zephyr")
                .filter(name::startsWith)
                .findFirst()
                .orElse("chatml");
        assertThat(format.name()).isEqualTo(family);
    }

    @Test
    void aModelWithoutATemplateHasNoFormat() {
        assertThat(ChatFormats.detect(null, "llama", tokenizer("<s>"))).isNull();
        assertThat(ChatFormats.detect(" ", "llama", tokenizer("<s>"))).isNull();
    }

    @Test
    void anUnknownTemplateIsAnErrorOnlyWhenItIsUsed() {
        String gemma = "{% for m in messages %}{{ '<start_of_turn>' + m['role'] + '\\n' + m['content'] }}{% endfor %}";
        ChatFormat format = detect(gemma, "llama", tokenizer("<s>"));
        assertThat(format.endOfTurn()).isEmpty();
        assertThatThrownBy(() -> format.prompt(List.of(ChatMessage.user("Hi"))))
                .isInstanceOf(ObrException.class)
                .hasMessageContainingAll("of this llama model is of an unknown family", "without chat");
    }

    @Test
    void relativesThatWriteMoreThanTurnsAreNotTakenForTheFamily() {
        assertUnknown(template("qwen2").replace("<|im_start|>assistant\n'", "<|im_start|>assistant\n<think>\n'"));
        assertUnknown(template("llama-3.1").replace("Cutting", "Knowledge"));
        assertUnknown(template("zephyr").replace("eos_token", "'<|end|>'"));
        assertUnknown(template("mistral-v0.3").replace("[INST] ", "[INST]"));
        assertUnknown(template("llama-2").replace("+ '[INST] '", "+ '[INST]'"));
    }

    private static void assertUnknown(String template) {
        ChatFormat format = detect(template, "llama", tokenizer("<s>"));
        assertThat(format.name()).isEqualTo("unsupported");
    }

    @Test
    void aTurnEndThatIsNoTokenIsAnError() {
        Tokenizer tokenizer = new StubTokenizer("<s>", "<|im_end|>");
        ChatFormat format = detect(template("qwen2"), "qwen2", tokenizer);
        assertThatThrownBy(() -> format.prompt(List.of()))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("ends turns with <|im_end|>, which is no token");
    }

    @Test
    void turnsOutOfOrderAreAnErrorWhereTheFormatAlternates() {
        ChatFormat format = new Llama2("<s>", "</s>");
        assertThatThrownBy(() -> format.prompt(List.of(ChatMessage.user("a"), ChatMessage.user("b"))))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("message 2 of the conversation is the user's");
        assertThatThrownBy(() -> format.prompt(List.of(ChatMessage.user("a"), ChatMessage.assistant("b"))))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("does not end with a user message");
    }

    private static ChatFormat detect(String template, String architecture, Tokenizer tokenizer) {
        return Objects.requireNonNull(ChatFormats.detect(template, architecture, tokenizer));
    }

    private static String bos(String template) {
        return template.startsWith("llama-3") ? "<|begin_of_text|>" : "<s>";
    }

    private static Tokenizer tokenizer(String bos) {
        return new StubTokenizer(bos, "");
    }

    private static String template(String name) {
        String text = new String(resource(name + ".jinja"), StandardCharsets.UTF_8);
        return text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    }

    private static byte[] resource(String name) {
        try (InputStream in = ChatFormatsTest.class.getResourceAsStream("/chat/" + name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Knows every piece but one, and begins texts with {@code bos}. */
    private record StubTokenizer(String bos, String missing) implements Tokenizer {
        @Override
        public int[] encode(String text, boolean addSpecialTokens) {
            return new int[] {7};
        }

        @Override
        public byte[] bytes(int id) {
            return new byte[0];
        }

        @Override
        public String piece(int id) {
            return bos;
        }

        @Override
        public int id(String piece) {
            return piece.equals(missing) ? -1 : 7;
        }

        @Override
        public int vocabularySize() {
            return 8;
        }

        @Override
        public boolean dropsLeadingSpace() {
            return false;
        }
    }
}
