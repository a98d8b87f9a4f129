package dev.obr.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.obr.runtime.chat.Conversation;
import dev.obr.runtime.chat.ToolCall;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** LangChain4j's messages as a conversation. */
final class Messages {
    private Messages() {}

    static Conversation conversation(List<ChatMessage> messages) {
        Conversation conversation = new Conversation();
        for (ChatMessage message : messages) {
            switch (message) {
                case SystemMessage system -> conversation.system(system.text());
                case UserMessage user -> conversation.user(text(user.contents()));
                case AiMessage answer ->
                    conversation.assistant(answer.text() == null ? "" : answer.text(), calls(answer));
                case ToolExecutionResultMessage result -> conversation.result(text(result.contents()));
                default -> throw unsupported("messages of type " + message.type());
            }
        }
        return conversation;
    }

    private static List<ToolCall> calls(AiMessage answer) {
        return answer.toolExecutionRequests().stream().map(Messages::call).toList();
    }

    private static ToolCall call(ToolExecutionRequest request) {
        String arguments = request.arguments();
        return new ToolCall(request.name(), arguments == null || arguments.isBlank() ? "{}" : arguments);
    }

    private static String text(List<Content> contents) {
        return contents.stream().map(Messages::text).collect(Collectors.joining("\n"));
    }

    private static String text(Content content) {
        if (content instanceof TextContent text) {
            return text.text();
        }
        throw unsupported(content.type().name().toLowerCase(Locale.ROOT));
    }

    private static UnsupportedFeatureException unsupported(String what) {
        return new UnsupportedFeatureException(
                "The request holds " + what + ", but the model reads text only: leave it out.");
    }
}
