package dev.obr.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.listener.ChatModelErrorContext;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonRawSchema;
import dev.obr.kernels.ObrException;
import dev.obr.runtime.BatchOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What cannot be answered is an error of LangChain4j's that names it, thrown or told. */
class RefusalsTest {
    private static final TinyModel TINY = new TinyModel(BatchOptions.defaults());

    @AfterAll
    static void close() {
        TINY.close();
    }

    private static ChatRequest.Builder ask() {
        return ChatRequest.builder().messages(UserMessage.from("The sea"));
    }

    static Stream<Arguments> refused() {
        ToolSpecification patterned = ToolSpecification.builder()
                .name("f")
                .parameters(JsonObjectSchema.builder()
                        .addProperty("x", JsonRawSchema.from("{\"type\": \"string\", \"pattern\": \"a+\"}"))
                        .build())
                .build();
        return Stream.of(
                Arguments.of(ask().temperature(-1.0), InvalidRequestException.class, "temperature is -1.0"),
                Arguments.of(ask().topP(2.0), InvalidRequestException.class, "top-p is 2.0"),
                Arguments.of(ask().topK(-3), InvalidRequestException.class, "top-k is -3"),
                Arguments.of(ask().maxOutputTokens(0), InvalidRequestException.class, "max-tokens is 0"),
                Arguments.of(ask().stopSequences(List.of("")), InvalidRequestException.class, "stop string is empty"),
                Arguments.of(ask().toolChoice(ToolChoice.REQUIRED), InvalidRequestException.class, "no tools"),
                Arguments.of(ask().toolSpecifications(patterned), InvalidRequestException.class, "pattern"),
                Arguments.of(
                        ChatRequest.builder().messages(UserMessage.from("The sea ".repeat(600))),
                        InvalidRequestException.class,
                        "context of 1024 tokens"),
                Arguments.of(ask().modelName("other"), ModelNotFoundException.class, "tiny is loaded"),
                Arguments.of(
                        ask().presencePenalty(Double.NaN), InvalidRequestException.class, "presence-penalty is NaN"),
                Arguments.of(
                        ask().frequencyPenalty(1e60), InvalidRequestException.class, "frequency-penalty is Infinity"),
                Arguments.of(
                        ChatRequest.builder().messages(UserMessage.from(ImageContent.from("http://localhost/a.png"))),
                        UnsupportedFeatureException.class,
                        "holds image"));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void refusedWithASentence(
            ChatRequest.Builder request, Class<? extends LangChain4jException> type, String sentence) {
        List<Throwable> heard = new ArrayList<>();
        ChatModelListener listener = new ChatModelListener() {
            @Override
            public void onError(ChatModelErrorContext context) {
                heard.add(context.error());
            }
        };
        ObrChatModel chat = ObrChatModel.builder()
                .model(TINY.model)
                .listeners(List.of(listener))
                .build();
        assertThatThrownBy(() -> chat.chat(request.build())).isInstanceOf(type).hasMessageContaining(sentence);

        ObrStreamingChatModel streaming = ObrStreamingChatModel.builder()
                .model(TINY.model)
                .listeners(List.of(listener))
                .build();
        Recorder recorder = new Recorder();
        streaming.chat(request.build(), recorder);
        assertThatThrownBy(recorder::await).cause().isInstanceOf(type).hasMessageContaining(sentence);
        assertThat(heard).hasSize(2).allMatch(type::isInstance);
        assertThat(recorder.ends).hasValue(1);
    }

    @Test
    void aModelMustBeNamedOnceAndChat() {
        assertThatThrownBy(() -> ObrChatModel.builder().build())
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("set modelPath");
        assertThatThrownBy(() ->
                        ObrChatModel.builder().model(TINY.model).device("cpu").build())
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("set model, or modelPath");
        assertThatThrownBy(() -> ObrChatModel.builder()
                        .modelPath(Path.of("no-such-model"))
                        .build())
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("no-such-model");
    }

    @Test
    void requestsGoBeforeDefaults() {
        ObrChatRequestParameters defaults = ObrChatRequestParameters.builder()
                .seed(1L)
                .temperature(0.5)
                .topK(7)
                .build();
        ObrChatModel chat = ObrChatModel.builder()
                .model(TINY.model)
                .defaultRequestParameters(defaults)
                .topK(8)
                .minP(0.1)
                .build();
        ChatRequestParameters common =
                DefaultChatRequestParameters.builder().temperature(0.9).build();
        ObrChatRequestParameters own =
                ObrChatRequestParameters.builder().repeatPenalty(1.1).seed(2L).build();
        for (ChatRequestParameters merged : List.of(
                chat.defaultRequestParameters().overrideWith(common).overrideWith(own),
                own.defaultedBy(common.defaultedBy(chat.defaultRequestParameters())))) {
            assertThat(merged)
                    .isEqualTo(ObrChatRequestParameters.builder()
                            .temperature(0.9)
                            .topK(8)
                            .minP(0.1)
                            .seed(2L)
                            .repeatPenalty(1.1)
                            .build());
        }
    }
}
