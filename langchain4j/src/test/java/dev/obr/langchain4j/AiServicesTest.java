package dev.obr.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.langchain4j.agent.tool.P;
import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.memory.chat.MessageWindowChatMemory;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.Result;
import dev.langchain4j.service.TokenStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** LangChain4j's own services over a small model that chats. */
@NullUnmarked
class AiServicesTest {
    private static final String NAME = "models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf";

    private static ObrModel model;
    private static ObrChatModel chat;
    private static ObrStreamingChatModel streaming;

    enum Colour {
        RED,
        GREEN,
        BLUE
    }

    record Person(String name, int age, boolean married, Colour favourite, List<Colour> others) {}

    interface Assistant {
        Result<String> answer(String question);
    }

    interface Extractor {
        @dev.langchain4j.service.UserMessage("Tell of the person in this text: {{it}}")
        Person person(String text);

        @dev.langchain4j.service.UserMessage("Which colour is it? {{it}}")
        Colour colour(String text);

        @dev.langchain4j.service.UserMessage("Is this true? {{it}}")
        boolean holds(String text);
    }

    interface Storyteller {
        TokenStream tell(String topic);
    }

    static class Weather {
        final List<String> asked = new CopyOnWriteArrayList<>();

        @Tool("The weather in a city on a day")
        String weather(@P("the city") String city, @P("the day") Day day, int hour) {
            asked.add(city + " " + day + " " + hour);
            return "rain";
        }
    }

    enum Day {
        TODAY,
        TOMORROW
    }

    @BeforeAll
    static void open() {
        Path path = Path.of(System.getProperty("obr.shared", "../shared"), NAME);
        assumeTrue(Files.exists(path), "needs " + NAME + " in the shared folder beside the checkout");
        model = ObrModel.builder()
                .modelPath(path)
                .device("cpu")
                .context(1024)
                .maxConcurrent(4)
                .build();
        chat = ObrChatModel.builder()
                .model(model)
                .temperature(0.0)
                .maxOutputTokens(60)
                .build();
        streaming = ObrStreamingChatModel.builder()
                .model(model)
                .temperature(0.0)
                .maxOutputTokens(60)
                .build();
    }

    @AfterAll
    static void close() {
        if (model != null) {
            model.close();
        }
    }

    /** A model that calls a tool once, before it answers. */
    private static ChatRequest callingFirst(ChatRequest request) {
        boolean asked = request.messages().getLast() instanceof UserMessage;
        return request.toBuilder()
                .parameters(request.parameters()
                        .overrideWith(ObrChatRequestParameters.builder()
                                .toolChoice(asked ? ToolChoice.REQUIRED : ToolChoice.NONE)
                                .build()))
                .build();
    }

    @Test
    void answersWithUsage() {
        Assistant assistant = AiServices.create(Assistant.class, chat);
        Result<String> result = assistant.answer("What is the capital of France? Answer in one sentence.");
        assertThat(result.content()).contains("Paris");
        assertThat(result.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(result.tokenUsage().inputTokenCount()).isBetween(20, 60);
        assertThat(result.tokenUsage().outputTokenCount()).isBetween(4, 59);
    }

    @Test
    void remembersWhatWasSaid() {
        Assistant assistant = AiServices.builder(Assistant.class)
                .chatModel(chat)
                .chatMemory(MessageWindowChatMemory.withMaxMessages(10))
                .build();
        int before = assistant.answer("My name is Klaus.").tokenUsage().inputTokenCount();
        Result<String> result = assistant.answer("What is my name?");
        assertThat(result.content()).contains("Klaus");
        assertThat(result.tokenUsage().inputTokenCount()).isGreaterThan(before + 10);
    }

    @Test
    void anAnswerThatIsTooLongIsCut() {
        ChatResponse response = chat.chat(ChatRequest.builder()
                .messages(UserMessage.from("Tell me a long story."))
                .maxOutputTokens(5)
                .build());
        assertThat(response.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(response.tokenUsage().outputTokenCount()).isEqualTo(5);
        assertThat(response.tokenUsage().totalTokenCount())
                .isEqualTo(response.tokenUsage().inputTokenCount() + 5);
    }

    @Test
    void streamsTokens() throws Exception {
        List<String> pieces = new CopyOnWriteArrayList<>();
        CompletableFuture<ChatResponse> end = new CompletableFuture<>();
        AiServices.create(Storyteller.class, streaming)
                .tell("What is the capital of France? Answer in one sentence.")
                .onPartialResponse(pieces::add)
                .onCompleteResponse(end::complete)
                .onError(end::completeExceptionally)
                .start();
        ChatResponse response = end.get(60, TimeUnit.SECONDS);
        assertThat(String.join("", pieces))
                .isEqualTo(response.aiMessage().text())
                .contains("Paris");
        assertThat(pieces).hasSizeGreaterThan(3);
        assertThat(response.finishReason()).isEqualTo(FinishReason.STOP);
    }

    @Test
    void aStreamIsCancelled() throws Exception {
        List<String> pieces = new CopyOnWriteArrayList<>();
        CompletableFuture<ChatResponse> end = new CompletableFuture<>();
        CompletableFuture<Void> cancelled = new CompletableFuture<>();
        AiServices.create(Storyteller.class, streaming)
                .tell("Tell me a long story.")
                .onPartialResponseWithContext((piece, context) -> {
                    pieces.add(piece.text());
                    if (pieces.size() == 4) {
                        context.streamingHandle().cancel();
                        cancelled.complete(null);
                    }
                })
                .onCompleteResponse(end::complete)
                .onError(end::completeExceptionally)
                .start();
        cancelled.get(60, TimeUnit.SECONDS);
        while (model.status().running() > 0) {
            Thread.sleep(1);
        }
        assertThat(pieces).hasSize(4);
        assertThat(end).isNotDone();
    }

    @Test
    void aToolIsCalledWithItsArgumentsAndItsResultTold() {
        Weather weather = new Weather();
        Assistant assistant = AiServices.builder(Assistant.class)
                .chatModel(chat)
                .chatMemory(MessageWindowChatMemory.withMaxMessages(10))
                .tools(weather)
                .chatRequestTransformer(AiServicesTest::callingFirst)
                .build();
        Result<String> result = assistant.answer("How will the weather be in Paris tomorrow at 9 o'clock?");
        assertThat(weather.asked).singleElement().asString().matches(".*Paris.* (TODAY|TOMORROW) \\d+");
        assertThat(result.toolExecutions()).hasSize(1);
        assertThat(result.content()).isNotBlank();
        assertThat(result.finishReason()).isIn(FinishReason.STOP, FinishReason.LENGTH);
    }

    @Test
    void aToolIsCalledWhileStreaming() throws Exception {
        Weather weather = new Weather();
        CompletableFuture<ChatResponse> end = new CompletableFuture<>();
        List<String> executed = new ArrayList<>();
        AiServices.builder(Storyteller.class)
                .streamingChatModel(streaming)
                .chatMemory(MessageWindowChatMemory.withMaxMessages(10))
                .tools(weather)
                .chatRequestTransformer(AiServicesTest::callingFirst)
                .build()
                .tell("How will the weather be in Paris tomorrow at 9 o'clock?")
                .onPartialResponse(piece -> {})
                .onToolExecuted(execution -> executed.add(execution.request().name() + " " + execution.result()))
                .onCompleteResponse(end::complete)
                .onError(end::completeExceptionally)
                .start();
        assertThat(end.get(60, TimeUnit.SECONDS).aiMessage().text()).isNotBlank();
        assertThat(executed).containsExactly("weather rain");
        assertThat(weather.asked).hasSize(1);
    }

    @Test
    void objectsConstantsAndTruthsAreRead() {
        Extractor extractor = AiServices.create(Extractor.class, chat);
        Person person = extractor.person("Anna is 34 years old, married, and loves everything that is red.");
        assertThat(person.name()).contains("Anna");
        assertThat(person.age()).isEqualTo(34);
        assertThat(extractor.colour("The grass in spring is green.")).isIn((Object[]) Colour.values());
        assertThat(extractor.holds("The earth is round.")).isIn(true, false);
    }
}
