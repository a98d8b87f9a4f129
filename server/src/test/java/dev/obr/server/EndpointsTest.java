package dev.obr.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.server.TestServer.Answer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** What each endpoint answers. */
class EndpointsTest {
    private static final TestServer SERVER = TestServer.ordinary();
    private static final String CHAT = "/v1/chat/completions";
    private static final String TEXT = "/v1/completions";
    private static final String TOOLS = """
            "tools": [{"type": "function", "function": {"name": "sum", "parameters": {"type": "object",
              "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 9}}, "required": ["a"], "additionalProperties": false}}}],
            "tool_choice": "required"
            """;

    @AfterAll
    static void end() {
        SERVER.close();
        assertThat(SERVER.log).isEmpty();
    }

    private static String chat(String fields) {
        return "{\"messages\": [{\"role\": \"user\", \"content\": \"The sea\"}], \"temperature\": 0, " + fields + "}";
    }

    private static String text(String fields) {
        return "{\"prompt\": \"The sea\", \"temperature\": 0, " + fields + "}";
    }

    @Test
    void healthModelsMetricsAndPage() {
        assertThat(SERVER.get("/health").body()).isEqualTo("{\"status\":\"ok\"}");
        JsonNode model = SERVER.get("/v1/models").json().get("data").get(0);
        assertThat(model.get("id").stringValue()).isEqualTo("tiny");
        assertThat(SERVER.get("/metrics").body())
                .contains("# TYPE obr_tokens_predicted_total counter\n")
                .contains("\nobr_requests_processing ")
                .contains("obr_http_responses_total{code=\"200\"}");
        assertThat(SERVER.get("/").body()).contains("<!DOCTYPE html>");
        assertThat(SERVER.get("/nothing").status()).isEqualTo(404);
        assertThat(SERVER.get(CHAT).status()).isEqualTo(405);
    }

    @Test
    void tokensThereAndBack() {
        JsonNode tokens = SERVER.post("/tokenize", "{\"content\": \"The old sea\"}")
                .json()
                .get("tokens");
        assertThat(SERVER.post("/detokenize", "{\"tokens\": " + tokens + "}")
                        .json()
                        .get("content")
                        .stringValue())
                .isEqualTo("The old sea");
    }

    @Test
    void aChatAnswerInOnePieceAndAsEventsIsTheSame() {
        JsonNode whole = SERVER.post(CHAT, chat("\"max_tokens\": 12")).json();
        JsonNode choice = whole.get("choices").get(0);
        assertThat(whole.get("object").stringValue()).isEqualTo("chat.completion");
        assertThat(choice.get("finish_reason").stringValue()).isEqualTo("length");
        assertThat(whole.get("usage").get("completion_tokens").intValue()).isEqualTo(12);
        assertThat(whole.get("timings").get("predicted_n").intValue()).isEqualTo(12);

        Answer streamed = SERVER.post(
                CHAT, chat("\"max_tokens\": 12, \"stream\": true, \"stream_options\": {\"include_usage\": true}"));
        assertThat(streamed.response().headers().firstValue("Content-Type"))
                .hasValue("text/event-stream; charset=utf-8");
        assertThat(streamed.body()).endsWith("data: [DONE]\n\n");
        List<JsonNode> events = streamed.events();
        StringBuilder text = new StringBuilder();
        for (JsonNode event : events.subList(0, events.size() - 1)) {
            JsonNode content = event.get("choices").get(0).get("delta").get("content");
            text.append(content == null ? "" : content.stringValue());
        }
        assertThat(text).hasToString(choice.get("message").get("content").stringValue());
        JsonNode last = events.get(events.size() - 2);
        assertThat(last.get("choices").get(0).get("finish_reason").stringValue())
                .isEqualTo("length");
        assertThat(events.getLast().get("usage").get("completion_tokens").intValue())
                .isEqualTo(12);
        assertThat(events.getFirst()
                        .get("choices")
                        .get(0)
                        .get("delta")
                        .get("role")
                        .stringValue())
                .isEqualTo("assistant");
    }

    @Test
    void severalTextsOfOneSeedDiffer() {
        String fields = "\"max_tokens\": 12, \"n\": 3, \"seed\": 7, \"temperature\": 1";
        String body = "{\"prompt\": [\"The sea\", \"The old man\"], " + fields + "}";
        JsonNode choices = SERVER.post(TEXT, body).json().get("choices");
        List<String> texts = new ArrayList<>();
        choices.forEach(choice -> texts.add(choice.get("text").stringValue()));
        assertThat(texts).hasSize(6).doesNotHaveDuplicates();
        assertThat(SERVER.post(TEXT, body).json().get("choices")).isEqualTo(choices);
    }

    @Test
    void penaltiesKeepATextFromRepeatingItself() {
        String fields = "\"max_tokens\": 60, \"logprobs\": 0";
        int plain = differentTokens(text(fields));
        int penalised = differentTokens(text(fields + ", \"frequency_penalty\": 2, \"presence_penalty\": 2"));
        assertThat(penalised).isGreaterThan(plain);
    }

    private static int differentTokens(String body) {
        JsonNode choice = SERVER.post(TEXT, body).json().get("choices").get(0);
        Set<String> different = new HashSet<>();
        choice.get("logprobs").get("tokens").forEach(token -> different.add(token.stringValue()));
        return different.size();
    }

    @Test
    void aStopStringEndsTheTextBeforeIt() {
        String full = SERVER.post(TEXT, text("\"max_tokens\": 20"))
                .json()
                .get("choices")
                .get(0)
                .get("text")
                .stringValue();
        String stop = full.substring(8, 11);
        JsonNode choice = SERVER.post(TEXT, text("\"max_tokens\": 20, \"stop\": [\"" + stop + "\"]"))
                .json()
                .get("choices")
                .get(0);
        assertThat(choice.get("text").stringValue()).isEqualTo(full.substring(0, full.indexOf(stop)));
        assertThat(choice.get("finish_reason").stringValue()).isEqualTo("stop");
    }

    @Test
    void thePromptIsEchoedWithItsProbabilities() {
        JsonNode answer = SERVER.post(TEXT, text("\"echo\": true, \"logprobs\": 2, \"max_tokens\": 0"))
                .json();
        JsonNode choice = answer.get("choices").get(0);
        assertThat(choice.get("text").stringValue()).isEqualTo("The sea");
        JsonNode own = choice.get("logprobs").get("token_logprobs");
        assertThat(own.size())
                .isEqualTo(answer.get("usage").get("prompt_tokens").intValue());
        assertThat(own.get(0).isNull()).isTrue();
        assertThat(own.get(1).doubleValue()).isNegative();
        assertThat(answer.get("usage").get("completion_tokens").intValue()).isZero();
    }

    @Test
    void tokenIdsAreAPromptToo() {
        JsonNode ids = SERVER.post("/tokenize", "{\"content\": \"The sea\", \"add_special\": true}")
                .json()
                .get("tokens");
        String expected = SERVER.post(TEXT, text("\"max_tokens\": 9"))
                .json()
                .get("choices")
                .get(0)
                .get("text")
                .stringValue();
        for (String prompt : List.of(ids.toString(), "[" + ids + "]")) {
            JsonNode answer = SERVER.post(TEXT, "{\"temperature\": 0, \"max_tokens\": 9, \"prompt\": " + prompt + "}")
                    .json();
            assertThat(answer.get("choices").get(0).get("text").stringValue()).isEqualTo(expected);
        }
    }

    @Test
    void chatTokensComeWithTheirProbabilities() {
        JsonNode choice = SERVER.post(CHAT, chat("\"max_tokens\": 3, \"logprobs\": true, \"top_logprobs\": 2"))
                .json()
                .get("choices")
                .get(0);
        JsonNode content = choice.get("logprobs").get("content");
        assertThat(content.size()).isEqualTo(3);
        JsonNode first = content.get(0);
        assertThat(first.get("top_logprobs").size()).isEqualTo(2);
        // at temperature 0 the token is the likeliest
        assertThat(first.get("logprob"))
                .isEqualTo(first.get("top_logprobs").get(0).get("logprob"));
    }

    @Test
    void anAnswerObeysItsSchema() {
        String schema =
                "{\"type\": \"object\", \"properties\": {\"a\": {\"enum\": [\"x\", \"y\"]}}, \"required\": [\"a\"]}";
        String format =
                "\"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"s\", \"schema\": "
                        + schema + "}}";
        JsonNode answer = SERVER.post(CHAT, chat(format)).json().get("choices").get(0);
        JsonNode object = TestServer.parse(answer.get("message").get("content").stringValue());
        assertThat(object.get("a").stringValue()).isIn("x", "y");
        assertThat(answer.get("finish_reason").stringValue()).isEqualTo("stop");
    }

    @Test
    void aToolThatHasToBeCalledIsCalled() {
        JsonNode choice = SERVER.post(CHAT, chat(TOOLS)).json().get("choices").get(0);
        assertThat(choice.get("finish_reason").stringValue()).isEqualTo("tool_calls");
        assertThat(choice.get("message").get("content").isNull()).isTrue();
        JsonNode function = choice.get("message").get("tool_calls").get(0).get("function");
        assertThat(function.get("name").stringValue()).isEqualTo("sum");
        assertThat(TestServer.parse(function.get("arguments").stringValue())
                        .get("a")
                        .intValue())
                .isBetween(0, 9);

        JsonNode called = null;
        for (JsonNode event :
                SERVER.post(CHAT, chat(TOOLS.strip() + ", \"stream\": true")).events()) {
            JsonNode calls = event.get("choices").get(0).get("delta").get("tool_calls");
            called = calls == null ? called : calls.get(0).get("function");
        }
        assertThat(called).isEqualTo(function);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            /v1/completions      | {                                                            |
            /v1/completions      | []                                                           |
            /v1/completions      | {}                                                           | prompt
            /v1/completions      | {"prompt": 5}                                                | prompt
            /v1/completions      | {"prompt": [1, "a"]}                                         | prompt
            /v1/completions      | {"prompt": [99999999]}                                       | prompt
            /v1/completions      | {"prompt": []}                                               | prompt
            /v1/completions      | {"prompt": [[]]}                                             | prompt
            /v1/completions      | {"prompt": "a", "max_tokens": 0}                             | max_tokens
            /v1/completions      | {"prompt": "a", "max_tokens": "5"}                           | max_tokens
            /v1/completions      | {"prompt": "a", "max_tokens": 1.5}                           | max_tokens
            /v1/completions      | {"prompt": "a", "temperature": -1}                           | temperature
            /v1/completions      | {"prompt": "a", "temperature": 1e999}                        | temperature
            /v1/completions      | {"prompt": "a", "top_p": 0}                                  | top_p
            /v1/completions      | {"prompt": "a", "n": 0}                                      | n
            /v1/completions      | {"prompt": ["a", "b"], "n": 100}                             | prompt
            /v1/completions      | {"prompt": "a", "logprobs": 21}                              | logprobs
            /v1/completions      | {"prompt": "a", "stop": [""]}                                | stop
            /v1/completions      | {"prompt": "a", "stop": {}}                                  | stop
            /v1/completions      | {"prompt": "a", "stream": 1}                                 | stream
            /v1/completions      | {"prompt": "a", "presence_penalty": 3}                       | presence_penalty
            /v1/completions      | {"prompt": "a", "frequency_penalty": "much"}                 | frequency_penalty
            /v1/completions      | {"prompt": "a", "max_tokens": 1e300}                         | max_tokens
            /v1/completions      | {"prompt": "a", "max_tokens": -2}                            | max_tokens
            /v1/completions      | {"prompt": "a", "seed": 99999999999999999999999999}          | seed
            /v1/completions      | {"prompt": "a", "top_k": -5}                                 | top_k
            /v1/completions      | {"prompt": "a", "min_p": 1}                                  | min_p
            /v1/completions      | {"prompt": "a", "repeat_penalty": 0}                         | repeat_penalty
            /v1/completions      | {"prompt": "a", "n": 4000000000}                             | n
            /v1/completions      | {"prompt": "a", "logit_bias": {"1": 5}}                      | logit_bias
            /v1/completions      | {"prompt": "\\ud800"}                                        | prompt
            /v1/chat/completions | {}                                                           | messages
            /v1/chat/completions | {"messages": []}                                             | messages
            /v1/chat/completions | {"messages": ["a"]}                                          | messages
            /v1/chat/completions | {"messages": [{"role": "king", "content": "a"}]}             | messages[0].role
            /v1/chat/completions | {"messages": [{"role": "user"}]}                             | messages[0].content
            /v1/chat/completions | {"messages": [{"role": "user", "content": "a"}], "tools": 5} | tools
            /v1/chat/completions | {"messages": [{"role": "user", "content": "a"}], "tool_choice": "required"} | tool_choice
            /v1/chat/completions | {"messages": [{"role": "user", "content": "a"}], "response_format": {"type": "x"}} | response_format.type
            /tokenize            | {}                                                           | content
            /detokenize          | {"tokens": [-1]}                                             | tokens
            """)
    void whatIsWrongIsNamed(String path, String body, String parameter) {
        Answer answer = SERVER.post(path, body);
        assertThat(answer.status()).as(answer.body()).isEqualTo(400);
        assertThat(answer.parameter()).isEqualTo(parameter == null ? "" : parameter);
        assertThat(answer.json().get("error").get("message").stringValue()).isNotBlank();
    }

    @Test
    void aPromptThatIsTooLongIsSaidToBe() {
        Answer answer = SERVER.post(TEXT, "{\"prompt\": \"" + "word ".repeat(2000) + "\"}");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.errorCode()).isEqualTo("context_length_exceeded");
    }

    @Test
    void unknownFieldsAreIgnored() {
        assertThat(SERVER.post(TEXT, text("\"max_tokens\": 1, \"user\": \"me\", \"model\": \"any\", \"x\": null"))
                        .status())
                .isEqualTo(200);
    }
}
