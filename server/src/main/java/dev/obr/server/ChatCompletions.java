package dev.obr.server;

import dev.obr.kernels.ObrException;
import dev.obr.models.chat.ChatFormat;
import dev.obr.models.chat.ChatMessage;
import dev.obr.runtime.BatchRequest;
import dev.obr.runtime.FinishReason;
import dev.obr.runtime.GeneratedToken;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.GenerationResult;
import dev.obr.runtime.TokenLogprobs;
import dev.obr.runtime.chat.AnswerReader;
import dev.obr.runtime.chat.ToolCall;
import dev.obr.runtime.chat.ToolSet;
import dev.obr.runtime.grammar.Grammar;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** {@code POST /v1/chat/completions}: the assistant's next turn. */
final class ChatCompletions {
    private static final int MOST_LOGPROBS = 20;

    private final Service service;
    private final Tools tools;
    private final boolean stream;
    private final boolean includeUsage;
    private final boolean logprobs;
    private final List<BatchRequest> requests = new ArrayList<>();
    private final String id = "chatcmpl-" + UUID.randomUUID().toString().replace("-", "");
    private final long created = System.currentTimeMillis() / 1000;

    /** @param client who asks */
    ChatCompletions(Service service, Fields body, String client) {
        this.service = service;
        this.tools = Tools.of(body);
        this.stream = body.flag("stream");
        Fields streamOptions = body.child("stream_options");
        this.includeUsage = streamOptions != null && streamOptions.flag("include_usage");
        body.text("model");
        this.logprobs = body.flag("logprobs");
        int top = body.integer("top_logprobs", 0, 0, MOST_LOGPROBS);
        String limit = body.has("max_completion_tokens") ? "max_completion_tokens" : "max_tokens";
        int maxTokens = body.integer(limit, -1, -1, Integer.MAX_VALUE);
        if (maxTokens == 0) {
            throw body.unusable(limit, "1 or more, or -1 for no limit");
        }
        GenerationOptions options = Sampling.options(body, maxTokens).withGrammar(grammar(body));
        int[] prompt = prompt(ChatTurns.of(body, tools));
        for (int i = 0; i < Sampling.texts(body); i++) {
            long seed = options.sampling().seed() + i;
            requests.add(new BatchRequest(prompt, options.withSeed(seed), client, logprobs ? top : -1, false));
        }
    }

    private @Nullable Grammar grammar(Fields body) {
        Grammar format = ResponseFormat.grammar(body);
        return tools.forced().isEmpty() ? format : tools.callGrammar();
    }

    private int[] prompt(List<ChatMessage> turns) {
        ChatFormat format = service.model().chatFormat();
        if (format == null) {
            throw ApiException.wrong(
                    "model",
                    "The model " + service.name()
                            + " has no chat format: it continues texts, so use /v1/completions, or serve an instruct model.",
                    "no_chat_format");
        }
        try {
            String text = format.prompt(turns);
            return service.tokens(tools.forced().isEmpty() ? text : text + ToolSet.OPENING + "\n", false);
        } catch (ObrException e) {
            throw ApiException.wrong("messages", String.valueOf(e.getMessage()));
        }
    }

    void answer(Exchange exchange) throws IOException {
        try (Choices choices = Choices.submit(service, requests, "messages")) {
            if (stream) {
                Streamed reader = new Streamed(new EventStream(exchange));
                reader.begin();
                choices.read(reader);
                reader.finish();
            } else {
                Whole reader = new Whole(exchange);
                choices.read(reader);
                exchange.reply(200, reader.answer());
            }
        }
    }

    /** One text on its way into an answer. */
    private final class Turn {
        private final AnswerReader reader;
        private final List<Object> probabilities = new ArrayList<>();
        private int callsTold;
        private @Nullable GenerationResult result;

        Turn() {
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

        String finishReason() {
            boolean length = result != null && result.finishReason() == FinishReason.LENGTH;
            return length ? "length" : reader.calls().isEmpty() ? "stop" : "tool_calls";
        }
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

    private List<Turn> turns() {
        return requests.stream().map(request -> new Turn()).toList();
    }

    private List<GenerationResult> results(List<Turn> turns) {
        List<GenerationResult> results = new ArrayList<>();
        for (Turn turn : turns) {
            if (turn.result != null) {
                results.add(turn.result);
            }
        }
        return results;
    }

    /** An answer in one piece. */
    private final class Whole implements Choices.Reader {
        private final List<Turn> turns = turns();
        private final Patience patience;

        Whole(Exchange exchange) {
            this.patience = new Patience(exchange);
        }

        @Override
        public void token(int choice, GeneratedToken token) throws IOException {
            turns.get(choice).take(token);
            patience.check();
        }

        @Override
        public void end(int choice, GenerationResult result) {
            turns.get(choice).end(result);
        }

        @Override
        public void idle() throws IOException {
            patience.check();
        }

        Object answer() {
            List<Object> choices = new ArrayList<>();
            for (int i = 0; i < turns.size(); i++) {
                Turn turn = turns.get(i);
                List<Object> calls = turn.newCalls(false);
                boolean silent = !calls.isEmpty() && turn.reader.text().isBlank();
                Map<String, @Nullable Object> message =
                        Json.object("role", "assistant", "content", silent ? null : turn.reader.text());
                if (!calls.isEmpty()) {
                    message.put("tool_calls", calls);
                }
                choices.add(Json.object(
                        "index",
                        i,
                        "message",
                        message,
                        "logprobs",
                        logprobs ? Json.object("content", turn.probabilities) : null,
                        "finish_reason",
                        turn.finishReason()));
            }
            List<GenerationResult> results = results(turns);
            return Json.object(
                    "id",
                    id,
                    "object",
                    "chat.completion",
                    "created",
                    created,
                    "model",
                    service.name(),
                    "choices",
                    choices,
                    "usage",
                    Usage.usage(results, results.size()),
                    "timings",
                    Usage.timings(results.getFirst()));
        }
    }

    /** An answer as it comes. */
    private final class Streamed implements Choices.Reader {
        private final EventStream events;
        private final List<Turn> turns = turns();

        Streamed(EventStream events) {
            this.events = events;
        }

        void begin() throws IOException {
            for (int i = 0; i < turns.size(); i++) {
                send(i, Json.object("role", "assistant", "content", ""), null, null);
            }
        }

        @Override
        public void token(int choice, GeneratedToken token) throws IOException {
            Turn turn = turns.get(choice);
            tell(choice, turn, turn.take(token));
        }

        @Override
        public void end(int choice, GenerationResult result) throws IOException {
            Turn turn = turns.get(choice);
            tell(choice, turn, turn.end(result));
            send(choice, Json.object(), turn.finishReason(), Usage.timings(result));
        }

        @Override
        public void idle() throws IOException {
            events.ping();
        }

        private void tell(int choice, Turn turn, String said) throws IOException {
            if (!said.isEmpty() || !turn.probabilities.isEmpty()) {
                send(choice, Json.object("content", said), null, null);
            }
            List<Object> calls = turn.newCalls(true);
            if (!calls.isEmpty()) {
                send(choice, Json.object("tool_calls", calls), null, null);
            }
        }

        private void send(int choice, Object delta, @Nullable String finishReason, @Nullable Object timings)
                throws IOException {
            List<Object> probabilities = turns.get(choice).probabilities;
            Map<String, @Nullable Object> object = Json.object(
                    "index",
                    choice,
                    "delta",
                    delta,
                    "logprobs",
                    probabilities.isEmpty() ? null : Json.object("content", List.copyOf(probabilities)),
                    "finish_reason",
                    finishReason);
            probabilities.clear();
            Map<String, @Nullable Object> chunk = chunk(List.of(object));
            if (timings != null) {
                chunk.put("timings", timings);
            }
            events.send(chunk);
        }

        private Map<String, @Nullable Object> chunk(List<Object> choices) {
            return Json.object(
                    "id",
                    id,
                    "object",
                    "chat.completion.chunk",
                    "created",
                    created,
                    "model",
                    service.name(),
                    "choices",
                    choices);
        }

        void finish() throws IOException {
            if (includeUsage) {
                List<GenerationResult> results = results(turns);
                Map<String, @Nullable Object> chunk = chunk(List.of());
                chunk.put("usage", Usage.usage(results, results.size()));
                events.send(chunk);
            }
            events.done();
        }
    }
}
