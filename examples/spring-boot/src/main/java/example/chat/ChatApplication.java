package example.chat;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.obr.langchain4j.ObrModel;
import dev.obr.langchain4j.ObrStreamingChatModel;
import java.nio.file.Path;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** A web application with a language model in it: {@code java -jar chat-1.jar --chat.model=MODEL}. */
@SpringBootApplication
public class ChatApplication {
    public static void main(String[] args) {
        SpringApplication.run(ChatApplication.class, args);
    }

    /** Loaded once; Spring closes it when the web server has ended. */
    @Bean
    ObrModel model(@Value("${chat.model}") Path path) {
        return ObrModel.builder().modelPath(path).context(2048).maxConcurrent(8).build();
    }

    @Bean
    StreamingChatModel streamingChatModel(ObrModel model) {
        return ObrStreamingChatModel.builder().model(model).temperature(0.3).maxOutputTokens(200).build();
    }
}
