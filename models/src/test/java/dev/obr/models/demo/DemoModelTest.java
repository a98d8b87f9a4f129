package dev.obr.models.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.models.Fixtures;
import dev.obr.models.Model;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class DemoModelTest {
    @Test
    void opensFromTheClassPathAndEncodesTheGoldenPrompts() throws IOException {
        JsonNode golden = JsonMapper.shared()
                .readTree(Files.readAllBytes(Fixtures.model("obr-books-7m").resolve("golden.json")));
        try (Model model = DemoModel.open()) {
            assertThat(model.chatFormat()).isNull();
            assertThat(model.config().contextLength()).isEqualTo(256);
            for (JsonNode item : golden.get("cases")) {
                int[] ids = item.get("prompt_ids")
                        .valueStream()
                        .mapToInt(JsonNode::intValue)
                        .toArray();
                assertThat(model.tokenizer().encode(item.get("prompt").stringValue(), true))
                        .containsExactly(ids);
            }
        }
    }
}
