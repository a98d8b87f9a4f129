package dev.obr.server;

import dev.obr.kernels.ObrException;
import dev.obr.models.chat.ChatFormat;
import dev.obr.models.chat.ChatMessage;
import dev.obr.runtime.BatchRequest;
import dev.obr.runtime.GeneratedToken;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.GenerationResult;
import dev.obr.runtime.chat.ToolSet;
import dev.obr.runtime.grammar.Grammar;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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

    private List<ChatTurn> turns() {
        return requests.stream().map(request -> new ChatTurn(service, tools)).toList();
    }

    private List<GenerationResult> results(List<ChatTurn> turns) {
        List<GenerationResult> results = new ArrayList<>();
        for (ChatTurn turn : turns) {
            GenerationResult result = turn.result();
            if (result != null) {
                results.add(result);
            }
        }
        return results;
    }

    /** An answer in one piece. */
    private final class Whole implements Choices.Reader {
        private final List<ChatTurn> turns = turns();
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
                ChatTurn turn = turns.get(i);
                List<Object> calls = turn.newCalls(false);
                boolean silent = !calls.isEmpty() && turn.text().isBlank();
                Map<String, @Nullable Object> message =
                        Json.object("role", "assistant", "content", silent ? null : turn.text());
                if (!calls.isEmpty()) {
                    message.put("tool_calls", calls);
                }
                choices.add(Json.object(
                        "index",
                        i,
                        "message",
                        message,
                        "logprobs",
                        logprobs ? turn.takeProbabilities() : null,
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
        private final List<ChatTurn> turns = turns();

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
            ChatTurn turn = turns.get(choice);
            tell(choice, turn, turn.take(token));
        }

        @Override
        public void end(int choice, GenerationResult result) throws IOException {
            ChatTurn turn = turns.get(choice);
            tell(choice, turn, turn.end(result));
            send(choice, Json.object(), turn.finishReason(), Usage.timings(result));
        }

        @Override
        public void idle() throws IOException {
            events.ping();
        }

        private void tell(int choice, ChatTurn turn, String said) throws IOException {
            if (!said.isEmpty() || turn.hasProbabilities()) {
                send(choice, Json.object("content", said), null, null);
            }
            List<Object> calls = turn.newCalls(true);
            if (!calls.isEmpty()) {
                send(choice, Json.object("tool_calls", calls), null, null);
            }
        }

        private void send(int choice, Object delta, @Nullable String finishReason, @Nullable Object timings)
                throws IOException {
            ChatTurn turn = turns.get(choice);
            Map<String, @Nullable Object> object = Json.object(
                    "index",
                    choice,
                    "delta",
                    delta,
                    "logprobs",
                    turn.hasProbabilities() ? turn.takeProbabilities() : null,
                    "finish_reason",
                    finishReason);
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
