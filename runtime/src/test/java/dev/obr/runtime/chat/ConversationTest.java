package dev.obr.runtime.chat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.models.chat.ChatMessage;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.JsonNodeFactory;

class ConversationTest {
    @Test
    void callsAndTheirResultsBecomeTurns() {
        Conversation conversation = new Conversation();
        conversation.system("Be brief.");
        conversation.user("Add.");
        conversation.assistant("So:", List.of(new ToolCall("f", "{\"a\":1}"), new ToolCall("say \"x\"", "{}")));
        conversation.result("2");
        conversation.result("x");
        conversation.assistant("Done.", List.of());
        conversation.result("late");
        assertThat(conversation.turns())
                .containsExactly(
                        ChatMessage.system("Be brief."),
                        ChatMessage.user("Add."),
                        ChatMessage.assistant(
                                "So:\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\":1}}\n</tool_call>\n"
                                        + "<tool_call>\n{\"name\": \"say \\\"x\\\"\", \"arguments\": {}}\n</tool_call>"),
                        ChatMessage.user("<tool_response>\n2\n</tool_response>\n<tool_response>\nx\n</tool_response>"),
                        ChatMessage.assistant("Done."),
                        ChatMessage.user("<tool_response>\nlate\n</tool_response>"));
    }

    @Test
    void toolsAreToldOfInTheSystemsTurn() {
        ToolSet tools =
                new ToolSet(Map.of("f", JsonNodeFactory.instance.objectNode().put("type", "function")));
        Conversation conversation = new Conversation();
        conversation.user("Hello");
        List<ChatMessage> told = conversation.turns(tools);
        assertThat(told).hasSize(2).last().isEqualTo(ChatMessage.user("Hello"));
        assertThat(told.getFirst().content())
                .startsWith("# Tools")
                .contains("<tools>\n{\"type\":\"function\"}\n</tools>");

        Conversation ordered = new Conversation();
        ordered.system("Be brief.");
        assertThat(ordered.turns(tools).getFirst().content()).startsWith("Be brief.\n\n# Tools");
    }
}
