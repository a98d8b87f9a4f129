package dev.obr.server;

import dev.obr.runtime.FinishReason;
import dev.obr.runtime.GeneratedToken;
import dev.obr.runtime.GenerationResult;
import dev.obr.runtime.TokenLogprobs;
import dev.obr.runtime.chat.AnswerReader;
import dev.obr.runtime.chat.ToolCall;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One of the assistant's texts on its way into an answer: what of it is said to the user, what is a call of a tool, how likely its tokens were. */
final class ChatTurn {
    private final Service service;
    private final AnswerReader reader;
    private List<Object> probabilities = new ArrayList<>();
    private int callsTold;
    private @Nullable GenerationResult result;

    ChatTurn(Service service, Tools tools) {
        this.service = service;
        Set<String> functions = tools.use() ? tools.functions().keySet() : Set.of();
        boolean dropsSpace = service.model().tokenizer().dropsLeadingSpace();
        reader = new AnswerReader(functions, !tools.forced().isEmpty(), dropsSpace);
    }

    /** Takes what a token showed; returns what of it is said to the user. */
    String take(GeneratedToken token) {
        TokenLogprobs likely = token.logprobs();
        if (likely != null) {
            probabilities.add(probability(likely));
        }
        return reader.append(token.text());
    }

    /** Takes the end; returns what is still said to the user. */
    String end(GenerationResult end) {
        result = end;
        return reader.finish();
    }

    /** The calls that were not told yet. */
    List<Object> newCalls(boolean indexed) {
        List<Object> calls = new ArrayList<>();
        for (; callsTold < reader.calls().size(); callsTold++) {
            ToolCall call = reader.calls().get(callsTold);
            Map<String, @Nullable Object> object = Json.object();
            if (indexed) {
                object.put("index", callsTold);
            }
            object.put("id", "call_" + UUID.randomUUID().toString().replace("-", ""));
            object.put("type", "function");
            object.put("function", Json.object("name", call.name(), "arguments", call.arguments()));
            calls.add(object);
        }
        return calls;
    }

    /** All that was said to the user. */
    String text() {
        return reader.text();
    }

    boolean hasProbabilities() {
        return !probabilities.isEmpty();
    }

    /** OpenAI's probabilities of the tokens that came since the last time. */
    Map<String, @Nullable Object> takeProbabilities() {
        List<Object> taken = probabilities;
        probabilities = new ArrayList<>();
        return Json.object("content", taken);
    }

    /** Null until the end. */
    @Nullable
    GenerationResult result() {
        return result;
    }

    String finishReason() {
        boolean length = result != null && result.finishReason() == FinishReason.LENGTH;
        return length ? "length" : reader.calls().isEmpty() ? "stop" : "tool_calls";
    }

    private Object probability(TokenLogprobs likely) {
        List<Object> top = likely.top().stream()
                .map(candidate -> (Object) probability(candidate.id(), candidate.logprob()))
                .toList();
        Map<String, @Nullable Object> object = probability(likely.id(), likely.logprob());
        object.put("top_logprobs", top);
        return object;
    }

    private Map<String, @Nullable Object> probability(int token, double logprob) {
        String shown = service.shown(token);
        List<Integer> bytes = new ArrayList<>();
        byte[] own = service.model().tokenizer().bytes(token);
        for (byte b : own.length > 0 ? own : shown.getBytes(StandardCharsets.UTF_8)) {
            bytes.add(b & 0xFF);
        }
        return Json.object("token", shown, "logprob", Json.logprob(logprob), "bytes", bytes);
    }
}
