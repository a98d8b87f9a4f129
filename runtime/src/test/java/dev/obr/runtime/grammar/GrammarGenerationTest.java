package dev.obr.runtime.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.runtime.FinishReason;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.GenerationResult;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.Session;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Models that have never seen JSON write it all the same. */
class GrammarGenerationTest {
    private static final List<String> SCHEMAS = List.of("""
            {"type": "object",
             "properties": {
               "name": {"type": "string", "minLength": 1, "maxLength": 20},
               "kind": {"enum": ["cat", "dog", "émeu 🙂"]},
               "age": {"type": "integer", "minimum": 0, "maximum": 120},
               "legs": {"type": "array", "items": {"enum": ["left", "right"]}, "minItems": 1, "maxItems": 4}},
             "required": ["name", "kind", "age"], "additionalProperties": false}""", """
            {"$defs": {"leaf": {"type": ["number", "boolean", "null"]}},
             "type": "array", "prefixItems": [{"const": "start"}, {"$ref": "#/$defs/leaf"}],
             "items": {"type": "object", "properties": {"at": {"$ref": "#/$defs/leaf"}}, "required": ["at"]},
             "minItems": 3, "maxItems": 3}""");

    @Test
    void theDemoModelEndsInValidJson() {
        try (LanguageModel model = LanguageModel.openDemo(RuntimeOptions.defaults())) {
            writesValidJson(model);
        }
    }

    @Test
    void soDoesAModelWithASentencePieceVocabulary() {
        Path folder = Path.of("src/test/resources/models/stories260K");
        try (LanguageModel model = LanguageModel.open(folder, RuntimeOptions.defaults())) {
            writesValidJson(model);
        }
    }

    private static void writesValidJson(LanguageModel model) {
        try (Session session = model.newSession()) {
            for (String schema : SCHEMAS) {
                Grammar grammar = JsonSchema.grammar(schema);
                PlainValidator validator =
                        new PlainValidator(JsonMapper.shared().readTree(schema));
                for (int seed = 0; seed < 5; seed++) {
                    GenerationOptions options = GenerationOptions.defaults()
                            .withTemperature(seed == 0 ? 0 : 1.2f)
                            .withRepeatPenalty(1.2f)
                            .withSeed(seed)
                            .withMaxTokens(250)
                            .withGrammar(grammar);
                    GenerationResult result =
                            session.generate("Once upon a time", options).result();
                    assertThat(result.finishReason()).as(result.text()).isEqualTo(FinishReason.STOP);
                    JsonNode value = JsonMapper.shared().readTree(result.text());
                    assertThat(validator.isValid(value)).as(result.text()).isTrue();
                }
            }
        }
    }
}
