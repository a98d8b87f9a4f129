package dev.obr.runtime.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ToolCallReaderTest {
    /** Each text in pieces of every length gives the same words and calls. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", textBlock = """
            a < b <tool b                                                        | a < b <tool b | -
            ok <tool_call>{"name": "f", "arguments": {"x": 1}}</tool_call>       | 'ok '         | f {"x":1}
            <tool_call>{"name": "f"}</tool_call><tool_call>{"name": "g"}         | ''            | f {} g {}
            <tool_call>{"name": "f", "arguments": {"x": "</tool_call>\\"</tool_call>"}}</tool_call> | '' | f {"x":"</tool_call>\\"</tool_call>"}
            <tool_call>{"name": "f", "arguments": {"x": "y}}</tool_call> z       | <tool_call>{"name": "f", "arguments": {"x": "y}}</tool_call> z | -
            <tool_call>{"name": "h"}</tool_call>!                                | <tool_call>{"name": "h"}</tool_call>! | -
            <tool_call>{"name": </tool_call>                                     | <tool_call>{"name": </tool_call>      | -
            <tool_call>{"name": "f", "argu                                       | <tool_call>{"name": "f", "argu        | -
            """)
    void callsAreToldFromText(String answer, String words, String calls) {
        for (int length = 1; length <= answer.length(); length++) {
            ToolCallReader reader = new ToolCallReader(Set.of("f", "g"), false);
            StringBuilder text = new StringBuilder();
            for (int at = 0; at < answer.length(); at += length) {
                text.append(reader.append(answer.substring(at, Math.min(answer.length(), at + length))));
            }
            text.append(reader.finish());
            assertThat(text).hasToString(words);
            StringBuilder called = new StringBuilder();
            reader.calls()
                    .forEach(call ->
                            called.append(' ').append(call.name()).append(' ').append(call.arguments()));
            assertThat(called.toString().strip()).isEqualTo(calls == null ? "" : calls);
        }
    }
}
