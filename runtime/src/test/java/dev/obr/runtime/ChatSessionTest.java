package dev.obr.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.models.chat.ChatMessage;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Conversations with a real instruct model. */
class ChatSessionTest {
    private static final GenerationOptions GREEDY = GenerationOptions.greedy().withMaxTokens(40);

    @Test
    void answersAndRemembersTheTurnsBefore() {
        Path file = TestModels.shared("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
        try (LanguageModel model = LanguageModel.open(file, RuntimeOptions.defaults());
                ChatSession chat = model.newChat(null)) {
            GenerationResult first =
                    chat.send("What is the capital of France?", GREEDY).result();
            assertThat(first.text()).isEqualTo("The capital of France is Paris.");
            assertThat(first.finishReason()).isEqualTo(FinishReason.STOP);

            GenerationResult second = chat.send("And of Italy?", GREEDY).result();
            assertThat(second.timings().promptTokens())
                    .as("only the new turn is computed")
                    .isLessThan(first.timings().promptTokens());
            assertThat(chat.messages())
                    .extracting(ChatMessage::content)
                    .containsExactly("What is the capital of France?", first.text(), "And of Italy?", second.text());

            chat.clear();
            assertThat(chat.messages()).isEmpty();
            assertThat(chat.send("What is the capital of France?", GREEDY)
                            .result()
                            .text())
                    .isEqualTo(first.text());
        }
    }

    @Test
    void anAnswerLeftEarlyStaysAsFarAsItWent() {
        Path file = TestModels.shared("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
        try (LanguageModel model = LanguageModel.open(file, RuntimeOptions.defaults());
                ChatSession chat = model.newChat("Answer at length.")) {
            Generation answer = chat.send("Tell me about the sea.", GREEDY);
            String begun = answer.next().text() + answer.next().text();
            assertThat(chat.messages()).hasSize(3);
            assertThat(chat.messages().getLast().content()).isEqualTo(begun);
            assertThat(answer.hasNext()).isFalse();
        }
    }
}
