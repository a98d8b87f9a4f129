package dev.obr.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.listener.ChatModelRequestContext;
import dev.langchain4j.model.chat.listener.ChatModelResponseContext;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonArraySchema;
import dev.langchain4j.model.chat.request.json.JsonBooleanSchema;
import dev.langchain4j.model.chat.request.json.JsonEnumSchema;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonReferenceSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.obr.models.file.JsonTree;
import dev.obr.runtime.BatchOptions;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Both chat models on the built-in model, which makes no sense but obeys. */
class ChatModelsTest {
    private static final TinyModel TINY = new TinyModel(BatchOptions.defaults());
    private static final ObrChatModel CHAT = ObrChatModel.builder()
            .model(TINY.model)
            .temperature(0.0)
            .maxOutputTokens(12)
            .build();
    private static final ObrStreamingChatModel STREAMING = ObrStreamingChatModel.builder()
            .model(TINY.model)
            .temperature(0.0)
            .maxOutputTokens(12)
            .build();

    private static final ToolSpecification PAINT = ToolSpecification.builder()
            .name("paint")
            .description("Paints")
            .parameters(JsonObjectSchema.builder()
                    .addEnumProperty("colour", List.of("red", "green"))
                    .addBooleanProperty("twice")
                    .required("colour", "twice")
                    .build())
            .build();

    @AfterAll
    static void close() {
        CHAT.close(); // a shared model stays open
        assertThat(CHAT.chat("The sea")).isNotEmpty();
        TINY.close();
    }

    private static ChatRequest.Builder ask(String text) {
        return ChatRequest.builder().messages(UserMessage.from(text));
    }

    private static Recorder stream(ChatRequest request) {
        Recorder recorder = new Recorder();
        STREAMING.chat(request, recorder);
        return recorder;
    }

    private static JsonNode json(String text) throws Exception {
        return JsonTree.parse(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Waits until nothing is computed any more. */
    private static void awaitIdle() throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (TINY.model.status().running() + TINY.model.status().waiting() > 0) {
            assertThat(System.nanoTime()).as("still running").isLessThan(deadline);
            Thread.sleep(1);
        }
    }

    @Test
    void anAnswerInOnePieceAndAsAStreamIsTheSame() throws Exception {
        ChatResponse whole = CHAT.chat(ask("The sea").build());
        Recorder recorder = stream(ask("The sea").build());
        ChatResponse streamed = recorder.await();
        assertThat(String.join("", recorder.pieces))
                .isEqualTo(whole.aiMessage().text())
                .isNotEmpty();
        assertThat(recorder.pieces).hasSizeGreaterThan(3);
        assertThat(streamed.aiMessage()).isEqualTo(whole.aiMessage());
        assertThat(streamed.tokenUsage()).isEqualTo(whole.tokenUsage());
        assertThat(whole.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(whole.tokenUsage().outputTokenCount()).isEqualTo(12);
        assertThat(whole.tokenUsage().inputTokenCount()).isPositive();
        assertThat(whole.metadata().modelName()).isEqualTo("tiny");
        assertThat(whole.metadata().id()).isNotBlank();
    }

    @Test
    void aStopSequenceEndsTheAnswerBeforeIt() {
        String full = CHAT.chat("The sea");
        String stop = full.substring(5, 8);
        ChatResponse stopped =
                CHAT.chat(ask("The sea").stopSequences(List.of(stop)).build());
        assertThat(stopped.aiMessage().text()).isEqualTo(full.substring(0, full.indexOf(stop)));
        assertThat(stopped.finishReason()).isEqualTo(FinishReason.STOP);
    }

    @Test
    void seedsDecide() {
        List<String> texts = new ArrayList<>();
        for (Long seed : new Long[] {1L, 1L, 2L, null, null}) {
            texts.add(ObrChatModel.builder()
                    .model(TINY.model)
                    .temperature(1.0)
                    .seed(seed)
                    .maxOutputTokens(24)
                    .build()
                    .chat("The sea"));
        }
        assertThat(texts.get(0)).isEqualTo(texts.get(1)).isNotEqualTo(texts.get(2));
        assertThat(texts.get(3)).isNotEqualTo(texts.get(4));
    }

    /** What a token costs once it has been said is more than anything makes up for, so that no piece comes twice; paid for saying, the model says nothing else. */
    @Test
    void penaltiesKeepFromRepeating() throws Exception {
        for (double penalty : new double[] {1000, -1000}) {
            Recorder presence = stream(
                    ask("The sea").temperature(0.0).presencePenalty(penalty).build());
            Recorder frequency = stream(
                    ask("The sea").temperature(0.0).frequencyPenalty(penalty).build());
            for (Recorder recorder : List.of(presence, frequency)) {
                recorder.await();
                assertThat(Set.copyOf(recorder.pieces)).hasSize(penalty > 0 ? recorder.pieces.size() : 1);
            }
        }
    }

    @Test
    void aCancelledStreamStopsAndFreesItsSequence() throws Exception {
        Recorder recorder = new Recorder(3);
        STREAMING.chat(ask("The sea").maxOutputTokens(900).build(), recorder);
        assertThat(recorder.cancelled.get(60, TimeUnit.SECONDS)).isTrue();
        awaitIdle();
        long generated = TINY.model.status().generatedTokens();
        CHAT.chat("The sea"); // whatever was under way before it is over
        awaitIdle();
        assertThat(recorder.pieces).hasSize(3);
        assertThat(recorder.ends).hasValue(0);
        assertThat(TINY.model.status().generatedTokens() - generated).isEqualTo(12);
    }

    @Test
    void aRequiredToolIsCalledWithArgumentsOfItsSchema() throws Exception {
        ChatRequest request = ask("Paint it")
                .toolSpecifications(PAINT)
                .toolChoice(ToolChoice.REQUIRED)
                .maxOutputTokens(60)
                .build();
        ChatResponse response = CHAT.chat(request);
        assertThat(response.finishReason()).isEqualTo(FinishReason.TOOL_EXECUTION);
        assertThat(response.aiMessage().text()).isNull();
        ToolExecutionRequest call = response.aiMessage().toolExecutionRequests().getFirst();
        assertThat(call.id()).isNotBlank();
        assertThat(call.name()).isEqualTo("paint");
        JsonNode arguments = json(call.arguments());
        assertThat(arguments.get("colour").stringValue()).isIn("red", "green");
        assertThat(arguments.get("twice").isBoolean()).isTrue();

        Recorder recorder = stream(request);
        ChatResponse streamed = recorder.await();
        assertThat(recorder.pieces).isEmpty();
        assertThat(recorder.calls).hasSize(1);
        assertThat(recorder.calls.getFirst().index()).isZero();
        assertThat(streamed.aiMessage().toolExecutionRequests())
                .containsExactly(recorder.calls.getFirst().toolExecutionRequest());
        assertThat(recorder.calls.getFirst().toolExecutionRequest().arguments()).isEqualTo(call.arguments());
    }

    @Test
    void toolsThatNobodyHasToCallChangeNoText() {
        ChatResponse none = CHAT.chat(ask("The sea")
                .toolSpecifications(PAINT)
                .toolChoice(ToolChoice.NONE)
                .build());
        assertThat(none.aiMessage().text()).isEqualTo(CHAT.chat("The sea"));
        ChatResponse auto = CHAT.chat(ask("The sea").toolSpecifications(PAINT).build());
        assertThat(auto.tokenUsage().inputTokenCount())
                .isGreaterThan(none.tokenUsage().inputTokenCount() + 100); // the model is told of them
        assertThat(auto.finishReason()).isEqualTo(FinishReason.LENGTH);
    }

    @Test
    void whatToolsGaveIsPartOfTheConversation() {
        ToolExecutionRequest call = ToolExecutionRequest.builder()
                .id("1")
                .name("paint")
                .arguments("{}")
                .build();
        ChatResponse response = CHAT.chat(
                SystemMessage.from("Tell."),
                UserMessage.from("Paint."),
                AiMessage.from(call),
                ToolExecutionResultMessage.from(call, "painted"));
        int apart = CHAT.chat(SystemMessage.from("Tell."), UserMessage.from("Paint."))
                .tokenUsage()
                .inputTokenCount();
        assertThat(response.tokenUsage().inputTokenCount()).isGreaterThan(apart + 20);
    }

    @Test
    void aSchemaHoldsTheAnswer() throws Exception {
        JsonSchema schema = JsonSchema.builder()
                .name("leaf")
                .rootElement(JsonObjectSchema.builder()
                        .addProperty(
                                "state",
                                JsonEnumSchema.builder()
                                        .enumValues("dry", "wet")
                                        .build())
                        .addProperty("green", new JsonBooleanSchema())
                        .addProperty(
                                "pair",
                                JsonArraySchema.builder()
                                        .items(JsonReferenceSchema.builder()
                                                .reference("side")
                                                .build())
                                        .build())
                        .definitions(Map.of(
                                "side",
                                JsonEnumSchema.builder().enumValues("l", "r").build()))
                        .required("state", "green")
                        .build())
                .build();
        ChatRequest request = ask("A leaf")
                .responseFormat(ResponseFormat.builder()
                        .type(ResponseFormatType.JSON)
                        .jsonSchema(schema)
                        .build())
                .maxOutputTokens(200)
                .build();
        ChatResponse response = CHAT.chat(request);
        JsonNode leaf = json(response.aiMessage().text());
        assertThat(leaf.get("state").stringValue()).isIn("dry", "wet");
        assertThat(leaf.get("green").isBoolean()).isTrue();
        assertThat(response.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(stream(request).await().aiMessage()).isEqualTo(response.aiMessage());
        assertThat(CHAT.supportedCapabilities())
                .isEqualTo(STREAMING.supportedCapabilities())
                .containsExactly(Capability.RESPONSE_FORMAT_JSON_SCHEMA);
    }

    @Test
    void besideToolsAnAnswerIsACallOrObeysItsSchema() throws Exception {
        JsonSchema schema = JsonSchema.builder()
                .name("truth")
                .rootElement(JsonObjectSchema.builder()
                        .addBooleanProperty("x")
                        .required("x")
                        .build())
                .build();
        for (long seed = 0; seed < 4; seed++) {
            ObrChatRequestParameters parameters = ObrChatRequestParameters.builder()
                    .toolSpecifications(PAINT)
                    .responseFormat(schema)
                    .temperature(2.0)
                    .seed(seed)
                    .maxOutputTokens(120)
                    .build();
            ChatResponse response = CHAT.chat(ChatRequest.builder()
                    .messages(UserMessage.from("Paint it"))
                    .parameters(parameters)
                    .build());
            if (response.finishReason() == FinishReason.STOP) {
                assertThat(json(response.aiMessage().text()).get("x").isBoolean())
                        .isTrue();
            } else if (response.finishReason() == FinishReason.TOOL_EXECUTION) {
                assertThat(response.aiMessage().text()).isNull();
            } else {
                assertThat(response.aiMessage().toolExecutionRequests()).isNotEmpty(); // it went on calling
            }
        }
    }

    @Test
    void listenersAreTold() throws Exception {
        List<String> heard = new ArrayList<>();
        ChatModelListener listener = new ChatModelListener() {
            @Override
            public void onRequest(ChatModelRequestContext context) {
                heard.add("asked " + context.chatRequest().parameters().maxOutputTokens());
            }

            @Override
            public void onResponse(ChatModelResponseContext context) {
                heard.add("answered " + context.chatResponse().tokenUsage().outputTokenCount());
            }
        };
        ObrChatModel.builder()
                .model(TINY.model)
                .maxOutputTokens(2)
                .stopSequences(List.of("~"))
                .listeners(List.of(listener))
                .build()
                .chat("The sea");
        Recorder recorder = new Recorder();
        ObrStreamingChatModel.builder()
                .model(TINY.model)
                .maxOutputTokens(3)
                .listeners(List.of(listener))
                .build()
                .chat("The sea", recorder);
        recorder.await();
        assertThat(heard).containsExactly("asked 2", "answered 2", "asked 3", "answered 3");
    }

    @Test
    void aFullQueueAndAClosedModelAreErrors() throws Exception {
        try (TinyModel small =
                new TinyModel(BatchOptions.defaults().withRunning(1).withWaiting(0))) {
            ObrStreamingChatModel streaming =
                    ObrStreamingChatModel.builder().model(small.model).build();
            ObrChatModel chat =
                    ObrChatModel.builder().model(small.model).maxOutputTokens(1).build();
            Recorder first = new Recorder();
            streaming.chat(ask("The sea").temperature(0.0).build(), first);
            while (small.model.status().running() == 0 && !first.end.isDone()) {
                Thread.sleep(1);
            }
            assertThatThrownBy(() -> chat.chat("The sea")).isInstanceOf(RateLimitException.class);
            assertThat(small.model.drain(Duration.ZERO)).isFalse();
            small.model.close();
            assertThatThrownBy(first::await)
                    .cause()
                    .isInstanceOf(LangChain4jException.class)
                    .hasMessage("The model was closed before the answer had ended.");
            assertThatThrownBy(() -> chat.chat("The sea"))
                    .isInstanceOf(LangChain4jException.class)
                    .hasMessageContaining("closed");
        }
    }
}
