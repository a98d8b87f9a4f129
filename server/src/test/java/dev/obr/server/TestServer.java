package dev.obr.server;

import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.chat.ChatFormat;
import dev.obr.models.chat.ChatMessage;
import dev.obr.models.demo.DemoModel;
import dev.obr.models.file.JsonTree;
import dev.obr.runtime.BatchOptions;
import dev.obr.runtime.BatchStatus;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import tools.jackson.databind.JsonNode;

/** A server on a free port of this machine, with the built-in model, which is told a chat format of the plainest kind. */
final class TestServer implements AutoCloseable {
    private record PlainTurns() implements ChatFormat {
        @Override
        public String name() {
            return "plain";
        }

        @Override
        public String prompt(List<ChatMessage> messages) {
            StringBuilder prompt = new StringBuilder();
            messages.forEach(m -> prompt.append(m.role().label())
                    .append(": ")
                    .append(m.content())
                    .append('\n'));
            return prompt.append("assistant: ").toString();
        }

        @Override
        public List<String> endOfTurn() {
            return List.of();
        }
    }

    /** An answer. */
    record Answer(int status, String body, HttpResponse<byte[]> response) {
        JsonNode json() {
            return parse(body);
        }

        String errorCode() {
            return json().get("error").get("code").asString("");
        }

        /** The parameter that an error names. */
        String parameter() {
            return json().get("error").get("param").asString("");
        }

        /** The events of a stream, the closing one left out. */
        List<JsonNode> events() {
            List<JsonNode> events = new ArrayList<>();
            for (String line : body.split("\n\n", -1)) {
                if (line.startsWith("data: ") && !line.equals("data: [DONE]")) {
                    events.add(parse(line.substring(6)));
                }
            }
            return events;
        }
    }

    final ApiServer api;
    final List<String> log = new ArrayList<>();
    private final LanguageModel model;
    private final HttpClient client = HttpClient.newHttpClient();

    TestServer(ServerOptions options, BatchOptions batch) {
        model = chatty();
        api = ApiServer.start(options.withPort(0), log::add);
        api.serve(model, batch);
    }

    static TestServer ordinary() {
        return new TestServer(ServerOptions.defaults(), BatchOptions.defaults());
    }

    private static LanguageModel chatty() {
        Model demo = DemoModel.open();
        Model chatty = new Model(
                "tiny",
                roomy(demo.config()),
                demo.weights(),
                demo.tokenizer(),
                new PlainTurns(),
                demo.packed(),
                demo.inputOrders(),
                demo.quantization(),
                Arena.ofShared());
        return LanguageModel.open(chatty, RuntimeOptions.defaults().withThreads(1));
    }

    /** A description of tools takes most of the 256 tokens that the model was made for. */
    private static ModelConfig roomy(ModelConfig config) {
        return new ModelConfig(
                config.architecture(),
                config.hiddenSize(),
                config.intermediateSize(),
                config.layers(),
                config.heads(),
                config.kvHeads(),
                config.headDim(),
                config.vocabularySize(),
                512,
                config.rmsNormEpsilon(),
                config.ropeTheta(),
                config.ropeScaling(),
                config.tiedEmbeddings(),
                config.bosTokenId(),
                config.eosTokenIds());
    }

    static JsonNode parse(String json) {
        try {
            return JsonTree.parse(json.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(json, e);
        }
    }

    BatchStatus status() {
        return Objects.requireNonNull(api.status());
    }

    Answer get(String path, String... headers) {
        return send(request(path, headers).GET().build());
    }

    Answer post(String path, String body, String... headers) {
        return post(path, body.getBytes(StandardCharsets.UTF_8), headers);
    }

    Answer post(String path, byte[] body, String... headers) {
        return send(request(path, headers)
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build());
    }

    HttpRequest.Builder request(String path, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + api.port() + path));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return request;
    }

    Answer send(HttpRequest request) {
        try {
            HttpResponse<byte[]> response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
            return new Answer(response.statusCode(), new String(response.body(), StandardCharsets.UTF_8), response);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        client.close();
        api.close();
        model.close();
    }
}
