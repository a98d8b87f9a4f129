package dev.obr.langchain4j;

import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Keeps what a stream tells, and cancels it after so many pieces. */
final class Recorder implements StreamingChatResponseHandler {
    final List<String> pieces = new CopyOnWriteArrayList<>();
    final List<CompleteToolCall> calls = new CopyOnWriteArrayList<>();
    final CompletableFuture<ChatResponse> end = new CompletableFuture<>();
    final CompletableFuture<Boolean> cancelled = new CompletableFuture<>();
    final AtomicInteger ends = new AtomicInteger();
    private final int most;

    Recorder() {
        this(Integer.MAX_VALUE);
    }

    Recorder(int most) {
        this.most = most;
    }

    @Override
    public void onPartialResponse(PartialResponse piece, PartialResponseContext context) {
        pieces.add(piece.text());
        if (pieces.size() == most) {
            context.streamingHandle().cancel();
            cancelled.complete(context.streamingHandle().isCancelled());
        }
    }

    @Override
    public void onCompleteToolCall(CompleteToolCall call) {
        calls.add(call);
    }

    @Override
    public void onCompleteResponse(ChatResponse response) {
        ends.incrementAndGet();
        end.complete(response);
    }

    @Override
    public void onError(Throwable error) {
        ends.incrementAndGet();
        end.completeExceptionally(error);
    }

    ChatResponse await() throws Exception {
        return end.get(60, TimeUnit.SECONDS);
    }
}
