package dev.obr.server;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.BatchRequest;
import dev.obr.runtime.FinishReason;
import dev.obr.runtime.GeneratedToken;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.GenerationResult;
import dev.obr.runtime.TokenLogprobs;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** {@code POST /v1/completions}: texts that go on from prompts. */
final class TextCompletions {
    private static final int DEFAULT_TOKENS = 16; // OpenAI's
    private static final int MOST_LOGPROBS = 20;

    private final Service service;
    private final boolean stream;
    private final boolean includeUsage;
    private final boolean echo;
    private final boolean logprobs;
    private final boolean generates; // max_tokens is not 0
    private final int each;
    private final List<BatchRequest> requests = new ArrayList<>();
    private final String id = "cmpl-" + UUID.randomUUID().toString().replace("-", "");
    private final long created = System.currentTimeMillis() / 1000;

    /** @param client who asks */
    TextCompletions(Service service, Fields body, String client) {
        this.service = service;
        this.stream = body.flag("stream");
        Fields streamOptions = body.child("stream_options");
        this.includeUsage = streamOptions != null && streamOptions.flag("include_usage");
        body.text("model");
        this.echo = body.flag("echo");
        int top = body.integer("logprobs", -1, 0, MOST_LOGPROBS);
        this.logprobs = top >= 0;
        int maxTokens = body.integer("max_tokens", DEFAULT_TOKENS, -1, Integer.MAX_VALUE);
        this.generates = maxTokens != 0;
        if (!generates && !echo) {
            throw body.unusable("max_tokens", "1 or more, or -1 for no limit; 0 needs echo");
        }
        GenerationOptions options =
                Sampling.options(body, generates ? maxTokens : 1).withGrammar(ResponseFormat.grammar(body));
        this.each = Sampling.texts(body);
        List<int[]> prompts = prompts(body);
        Sampling.checkTexts("prompt", (long) prompts.size() * each);
        for (int[] prompt : prompts) {
            for (int i = 0; i < each; i++) {
                long seed = options.sampling().seed() + i;
                requests.add(new BatchRequest(prompt, options.withSeed(seed), client, top, echo && logprobs));
            }
        }
    }

    /** A text, a list of texts, token ids, or a list of lists of them. */
    private List<int[]> prompts(Fields body) {
        String wanted = "a string, a list of strings, a list of token ids, or a list of such lists";
        JsonNode prompt = body.get("prompt");
        if (prompt == null || (prompt.isArray() && prompt.isEmpty())) {
            throw body.unusable("prompt", wanted);
        }
        if (prompt.isString() || (prompt.isArray() && prompt.get(0).isNumber())) {
            return List.of(prompt(body, prompt, wanted));
        }
        if (!prompt.isArray()) {
            throw body.unusable("prompt", wanted);
        }
        Sampling.checkTexts("prompt", prompt.size());
        List<int[]> prompts = new ArrayList<>();
        for (JsonNode one : prompt.values()) {
            prompts.add(prompt(body, one, wanted));
        }
        return prompts;
    }

    private int[] prompt(Fields body, JsonNode prompt, String wanted) {
        if (prompt.isString()) {
            try {
                return service.tokens(Fields.whole("prompt", prompt.stringValue()), true);
            } catch (ObrException e) {
                throw ApiException.wrong("prompt", String.valueOf(e.getMessage()));
            }
        }
        if (!prompt.isArray()) {
            throw body.unusable("prompt", wanted);
        }
        return Tokenization.ids("prompt", prompt, service.model().config().vocabularySize());
    }

    void answer(Exchange exchange) throws IOException {
        try (Choices choices = Choices.submit(service, requests, "prompt")) {
            if (stream) {
                Streamed reader = new Streamed(choices, new EventStream(exchange));
                choices.read(reader);
                reader.finish();
            } else {
                Whole reader = new Whole(choices, exchange);
                choices.read(reader);
                exchange.reply(200, reader.answer());
            }
        }
    }

    /** One text on its way into an answer. */
    private final class Text {
        private final int[] prompt;
        private final StringBuilder said = new StringBuilder();
        private final Probabilities probabilities = new Probabilities(service);
        private boolean begun;
        private @Nullable GenerationResult result;

        Text(int[] prompt) {
            this.prompt = prompt;
        }

        /** The echo of the prompt, before all else. */
        String begin(List<TokenLogprobs> ofPrompt) {
            if (begun || !echo) {
                return "";
            }
            begun = true;
            for (int i = 0; logprobs && i < prompt.length; i++) {
                probabilities.add(prompt[i], i == 0 ? null : ofPrompt.get(i - 1));
            }
            return service.model().tokenizer().decode(prompt);
        }

        String take(GeneratedToken token) {
            if (!generates) {
                return "";
            }
            if (token.logprobs() != null) {
                probabilities.add(token.id(), token.logprobs());
            }
            return token.text();
        }

        String finishReason() {
            boolean length = result != null && result.finishReason() == FinishReason.LENGTH;
            return length || !generates ? "length" : "stop";
        }
    }

    private List<Text> texts() {
        return requests.stream().map(request -> new Text(request.prompt())).toList();
    }

    private List<GenerationResult> results(List<Text> texts) {
        List<GenerationResult> results = new ArrayList<>();
        for (Text text : texts) {
            if (text.result != null) {
                results.add(text.result);
            }
        }
        return results;
    }

    private Map<String, @Nullable Object> choice(int index, String text, Text from, @Nullable String finishReason) {
        return Json.object(
                "index",
                index,
                "text",
                text,
                "logprobs",
                logprobs ? from.probabilities.take() : null,
                "finish_reason",
                finishReason);
    }

    private Map<String, @Nullable Object> completion(List<Object> choices) {
        return Json.object(
                "id", id, "object", "text_completion", "created", created, "model", service.name(), "choices", choices);
    }

    private Map<String, @Nullable Object> usage(List<Text> texts) {
        Map<String, @Nullable Object> usage = Usage.usage(results(texts), each);
        if (!generates) { // the one token that was computed beside the prompt is no part of the answer
            usage.put("completion_tokens", 0);
            usage.put("total_tokens", usage.get("prompt_tokens"));
        }
        return usage;
    }

    /** An answer in one piece. */
    private final class Whole implements Choices.Reader {
        private final Choices choices;
        private final List<Text> texts = texts();
        private final Patience patience;

        Whole(Choices choices, Exchange exchange) {
            this.choices = choices;
            this.patience = new Patience(exchange);
        }

        @Override
        public void token(int choice, GeneratedToken token) throws IOException {
            Text text = texts.get(choice);
            text.said.append(text.begin(choices.text(choice).promptLogprobs()));
            text.said.append(text.take(token));
            patience.check();
        }

        @Override
        public void end(int choice, GenerationResult result) {
            texts.get(choice).result = result;
        }

        @Override
        public void idle() throws IOException {
            patience.check();
        }

        Object answer() {
            List<Object> all = new ArrayList<>();
            for (int i = 0; i < texts.size(); i++) {
                Text text = texts.get(i);
                all.add(choice(i, text.said.toString(), text, text.finishReason()));
            }
            Map<String, @Nullable Object> answer = completion(all);
            answer.put("usage", usage(texts));
            answer.put("timings", Usage.timings(results(texts).getFirst()));
            return answer;
        }
    }

    /** An answer as it comes. */
    private final class Streamed implements Choices.Reader {
        private final Choices choices;
        private final EventStream events;
        private final List<Text> texts = texts();

        Streamed(Choices choices, EventStream events) {
            this.choices = choices;
            this.events = events;
        }

        @Override
        public void token(int choice, GeneratedToken token) throws IOException {
            Text text = texts.get(choice);
            String piece = text.begin(choices.text(choice).promptLogprobs()) + text.take(token);
            if (!piece.isEmpty() || !text.probabilities.isEmpty()) {
                events.send(completion(List.of(choice(choice, piece, text, null))));
            }
        }

        @Override
        public void end(int choice, GenerationResult result) throws IOException {
            Text text = texts.get(choice);
            text.result = result;
            Map<String, @Nullable Object> last = completion(List.of(choice(choice, "", text, text.finishReason())));
            last.put("timings", Usage.timings(result));
            events.send(last);
        }

        @Override
        public void idle() throws IOException {
            events.ping();
        }

        void finish() throws IOException {
            if (includeUsage) {
                Map<String, @Nullable Object> chunk = completion(List.of());
                chunk.put("usage", usage(texts));
                events.send(chunk);
            }
            events.done();
        }
    }
}
