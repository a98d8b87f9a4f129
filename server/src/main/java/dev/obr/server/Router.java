package dev.obr.server;

import dev.obr.runtime.LanguageModel;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Which path is answered by what, and to whom. */
final class Router {
    private final ApiKeys keys;
    private final Metrics metrics;
    private final byte[] page = page();
    private volatile @Nullable Service service;
    private volatile boolean ending;

    Router(ApiKeys keys, Metrics metrics) {
        this.keys = keys;
        this.metrics = metrics;
    }

    private static byte[] page() {
        try (InputStream in = Objects.requireNonNull(Router.class.getResourceAsStream("chat.html"))) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new IllegalStateException("the page in the jar cannot be read", e);
        }
    }

    /** What answers from now on; null while the model loads. */
    @Nullable
    Service service() {
        return service;
    }

    void serve(Service ready) {
        service = ready;
    }

    /** Refuses requests from now on. */
    void refuse() {
        ending = true;
    }

    /** Answers a request. */
    void route(Exchange exchange) throws IOException {
        String path = exchange.path();
        switch (path) {
            case "/" -> {
                allow(exchange, "GET");
                exchange.header(
                        "Content-Security-Policy",
                        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'");
                exchange.reply(200, "text/html; charset=utf-8", page);
            }
            case "/health" -> {
                allow(exchange, "GET");
                ready();
                exchange.reply(200, Json.object("status", "ok"));
            }
            case "/v1/models", "/metrics" -> {
                allow(exchange, "GET");
                admit(exchange);
                Service ready = ready();
                if (path.equals("/metrics")) {
                    String text = metrics.text(ready.scheduler().status());
                    exchange.reply(200, Metrics.CONTENT_TYPE, text.getBytes(StandardCharsets.UTF_8));
                } else {
                    exchange.reply(200, Json.object("object", "list", "data", List.of(model(ready))));
                }
            }
            case "/v1/chat/completions", "/v1/completions", "/tokenize", "/detokenize" -> {
                allow(exchange, "POST");
                admit(exchange);
                Service ready = ready();
                Fields body = exchange.body();
                switch (path) {
                    case "/v1/chat/completions" -> new ChatCompletions(ready, body, exchange.client()).answer(exchange);
                    case "/v1/completions" -> new TextCompletions(ready, body, exchange.client()).answer(exchange);
                    case "/tokenize" -> exchange.reply(200, Tokenization.tokenize(ready, body));
                    default -> exchange.reply(200, Tokenization.detokenize(ready, body));
                }
            }
            default -> {
                admit(exchange);
                throw ApiException.refused(404, "There is nothing at this path: see docs/serve.md.", "not_found");
            }
        }
    }

    private static void allow(Exchange exchange, String method) {
        boolean head = method.equals("GET") && exchange.method().equals("HEAD");
        if (!head && !exchange.method().equals(method)) {
            exchange.header("Allow", method);
            throw ApiException.refused(405, "This path takes " + method + " only.", "method_not_allowed");
        }
    }

    /** Lets those through who have a key; never the pages of other sites, which browsers send without asking anyone. */
    private void admit(Exchange exchange) {
        if ("cross-site".equals(exchange.headers().getFirst("Sec-Fetch-Site"))) {
            throw ApiException.refused(403, "Pages of other sites may not use this server.", "cross_site");
        }
        keys.check(exchange.headers());
    }

    private Service ready() {
        Service ready = service;
        if (ending) {
            throw ApiException.unavailable(503, "unavailable_error", "The server is ending: ask another.");
        }
        if (ready == null) {
            throw ApiException.unavailable(503, "unavailable_error", "Loading model");
        }
        return ready;
    }

    private static Object model(Service ready) {
        LanguageModel model = ready.model();
        return Json.object(
                "id",
                ready.name(),
                "object",
                "model",
                "created",
                ready.created(),
                "owned_by",
                "obr",
                "meta",
                Json.object(
                        "n_vocab",
                        model.config().vocabularySize(),
                        "n_ctx",
                        model.contextLength(),
                        "n_ctx_train",
                        model.config().contextLength(),
                        "n_embd",
                        model.config().hiddenSize(),
                        "chat",
                        model.chatFormat() != null,
                        "device",
                        model.device()));
    }
}
