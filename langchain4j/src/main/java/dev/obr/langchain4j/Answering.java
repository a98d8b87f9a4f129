package dev.obr.langchain4j;

import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onCompleteResponse;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onCompleteToolCall;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onPartialResponse;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import dev.obr.kernels.ObrException;
import dev.obr.runtime.BatchFullException;
import dev.obr.runtime.BatchedGeneration;
import dev.obr.runtime.GenerationResult;
import dev.obr.runtime.chat.AnswerReader;
import dev.obr.runtime.chat.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** One answer, from the request to its end. */
final class Answering {
    private final BatchedGeneration text;
    private final AnswerReader reader;
    private final String modelName;
    private final List<ToolExecutionRequest> calls = new ArrayList<>();
    private final Handle handle = new Handle();

    private Answering(BatchedGeneration text, AnswerReader reader, String modelName) {
        this.text = text;
        this.reader = reader;
        this.modelName = modelName;
    }

    /**
     * Asks a model; nothing is computed before the request's turn.
     *
     * @throws LangChain4jException that says what is wrong with the request
     */
    static Answering begin(ObrModel model, ChatRequest request) {
        try {
            Asked asked = Asked.of(model, request);
            BatchedGeneration text = model.scheduler().submit(asked.request());
            return new Answering(text, asked.reader(), model.name());
        } catch (BatchFullException e) {
            throw new RateLimitException(e);
        } catch (ObrException e) {
            throw new InvalidRequestException(e);
        } catch (IllegalStateException e) {
            throw new LangChain4jException("The model is closed and answers nothing more.", e);
        }
    }

    /** Waits for all of it. */
    ChatResponse whole() {
        GenerationResult result = read(piece -> {}, (index, call) -> {});
        return response(result);
    }

    /** Tells all of it as it comes, unless that is cancelled. */
    void stream(StreamingChatResponseHandler handler) {
        GenerationResult result = read(
                piece -> onPartialResponse(handler, piece, handle),
                (index, call) -> onCompleteToolCall(handler, new CompleteToolCall(index, call)));
        if (!handle.isCancelled()) {
            onCompleteResponse(handler, response(result));
        }
    }

    private interface Words {
        void said(String piece);
    }

    private interface Calls {
        void called(int index, ToolExecutionRequest call);
    }

    private GenerationResult read(Words words, Calls called) {
        try {
            while (text.hasNext()) {
                tell(reader.append(text.next().text()), words, called);
            }
            GenerationResult result = text.result();
            if (result.finishReason() == dev.obr.runtime.FinishReason.CANCELLED && !handle.isCancelled()) {
                throw new LangChain4jException("The model was closed before the answer had ended.");
            }
            tell(reader.finish(), words, called);
            return result;
        } catch (ObrException e) {
            throw new InvalidRequestException(e);
        } catch (IllegalStateException e) {
            throw new LangChain4jException(e); // interrupted, or the scheduler has failed
        }
    }

    private void tell(String piece, Words words, Calls called) {
        if (!piece.isEmpty() && !handle.isCancelled()) {
            words.said(piece);
        }
        for (int i = calls.size(); i < reader.calls().size() && !handle.isCancelled(); i++) {
            ToolCall call = reader.calls().get(i);
            calls.add(ToolExecutionRequest.builder()
                    .id("call_" + UUID.randomUUID().toString().replace("-", ""))
                    .name(call.name())
                    .arguments(call.arguments())
                    .build());
            called.called(i, calls.getLast());
        }
    }

    private ChatResponse response(GenerationResult result) {
        boolean silent = !calls.isEmpty() && reader.text().isBlank();
        AiMessage.Builder message = AiMessage.builder().toolExecutionRequests(calls);
        return ChatResponse.builder()
                .id("chat-" + UUID.randomUUID())
                .modelName(modelName)
                .aiMessage((silent ? message : message.text(reader.text())).build())
                .tokenUsage(new TokenUsage(
                        result.promptTokenIds().size(), result.timings().generatedTokens()))
                .finishReason(finishReason(result))
                .build();
    }

    private FinishReason finishReason(GenerationResult result) {
        if (result.finishReason() == dev.obr.runtime.FinishReason.LENGTH) {
            return FinishReason.LENGTH;
        }
        return calls.isEmpty() ? FinishReason.STOP : FinishReason.TOOL_EXECUTION;
    }

    /** Ends this answer, from any thread. */
    private final class Handle implements StreamingHandle {
        private volatile boolean cancelled;

        @Override
        public void cancel() {
            cancelled = true;
            text.cancel();
        }

        @Override
        public boolean isCancelled() {
            return cancelled;
        }
    }
}
