package example.chat;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.io.IOException;
import java.util.Map;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;

/** {@code GET /chat?message=..}: the answer as events while it is generated, then one with what it took. */
@RestController
class ChatController {
    private final StreamingChatModel model;

    ChatController(StreamingChatModel model) {
        this.model = model;
    }

    @GetMapping(path = "/chat", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
    SseEmitter chat(@RequestParam String message) {
        SseEmitter events = new SseEmitter();
        model.chat(message, new StreamingChatResponseHandler() {
            @Override
            public void onPartialResponse(PartialResponse piece, PartialResponseContext context) {
                try {
                    events.send(Map.of("text", piece.text()));
                } catch (IOException | IllegalStateException clientLeft) {
                    context.streamingHandle().cancel();
                    events.completeWithError(clientLeft);
                }
            }

            @Override
            public void onCompleteResponse(ChatResponse response) {
                try {
                    events.send(SseEmitter.event()
                            .name("end")
                            .data(Map.of(
                                    "finishReason", response.finishReason(),
                                    "inputTokens", response.tokenUsage().inputTokenCount(),
                                    "outputTokens", response.tokenUsage().outputTokenCount())));
                    events.complete();
                } catch (IOException | IllegalStateException clientLeft) {
                    events.completeWithError(clientLeft);
                }
            }

            @Override
            public void onError(Throwable error) {
                events.completeWithError(error);
            }
        });
        return events;
    }
}
