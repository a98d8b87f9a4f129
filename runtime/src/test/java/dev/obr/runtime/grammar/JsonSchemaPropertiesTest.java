package dev.obr.runtime.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.core.JacksonException;
import tools.jackson.core.util.DefaultIndenter;
import tools.jackson.core.util.DefaultPrettyPrinter;
import tools.jackson.core.util.Separators;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Grammars of random schemas against {@link PlainValidator} and Jackson, which know nothing of grammars. */
class JsonSchemaPropertiesTest {
    private static final int SCHEMAS = 150;
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** Two spaces an indent, one behind each colon, as most programs write it. */
    private static final DefaultPrettyPrinter PRETTY = new DefaultPrettyPrinter(
                    Separators.createDefaultInstance().withObjectNameValueSpacing(Separators.Spacing.AFTER))
            .withObjectIndenter(new DefaultIndenter("  ", "\n"))
            .withArrayIndenter(new DefaultIndenter("  ", "\n"));

    @Test
    void validDocumentsAreAccepted() {
        Random random = new Random(1);
        RandomSchema schemas = new RandomSchema(random);
        for (int round = 0; round < SCHEMAS; round++) {
            JsonNode schema = JSON.readTree(schemas.schema(3).toString());
            Grammar grammar = JsonSchema.grammar(schema);
            for (int n = 0; n < 8; n++) {
                JsonNode value = schemas.value(schema);
                assertThat(new PlainValidator(schema).isValid(value))
                        .as("%s %s", schema, value)
                        .isTrue();
                assertThat(Reading.accepts(grammar, JSON.writeValueAsString(value)))
                        .as("%s %s", schema, value)
                        .isTrue();
                String pretty = JSON.writer().with(PRETTY).writeValueAsString(value);
                assertThat(Reading.accepts(grammar, pretty))
                        .as("%s %s", schema, pretty)
                        .isTrue();
            }
        }
    }

    @Test
    void mutatedDocumentsAreAcceptedOnlyIfValid() {
        Random random = new Random(2);
        RandomSchema schemas = new RandomSchema(random);
        int accepted = 0;
        int refused = 0;
        for (int round = 0; round < SCHEMAS; round++) {
            JsonNode schema = JSON.readTree(schemas.schema(3).toString());
            Grammar grammar = JsonSchema.grammar(schema);
            for (int n = 0; n < 20; n++) {
                String text = JSON.writeValueAsString(schemas.value(schema));
                String mutated =
                        n % 5 == 0 ? JSON.writeValueAsString(schemas.value(schemas.schema(2))) : mutated(text, random);
                if (Reading.accepts(grammar, mutated)) {
                    assertValid(schema, mutated);
                    accepted++;
                } else {
                    refused++;
                }
            }
        }
        assertThat(accepted).isGreaterThan(SCHEMAS);
        assertThat(refused).isGreaterThan(5 * SCHEMAS);
    }

    @Test
    void whateverTheGrammarWritesIsValid() {
        Random random = new Random(3);
        RandomSchema schemas = new RandomSchema(random);
        int written = 0;
        for (int round = 0; round < SCHEMAS; round++) {
            JsonNode schema = JSON.readTree(schemas.schema(3).toString());
            Acceptor acceptor = new Acceptor(JsonSchema.grammar(schema));
            for (int n = 0; n < 8; n++) {
                String text = walk(acceptor, random);
                if (text != null) {
                    assertValid(schema, text);
                    written++;
                }
            }
        }
        assertThat(written).isGreaterThan(7 * SCHEMAS);
    }

    @Test
    void whateverIsAcceptedCanBeCompleted() {
        Random random = new Random(4);
        Acceptor acceptor = new Acceptor(JsonSchema.anyObject());
        int written = 0;
        for (int n = 0; n < 800; n++) {
            String text = walk(acceptor, random);
            if (text != null) {
                assertThat(JSON.readTree(text).isObject()).isTrue();
                written++;
            }
        }
        assertThat(written).isGreaterThan(650);
    }

    private static void assertValid(JsonNode schema, String text) {
        JsonNode value;
        try {
            value = JSON.readTree(text);
        } catch (JacksonException malformed) {
            throw new AssertionError(schema + " let through " + text, malformed);
        }
        assertThat(new PlainValidator(schema).isValid(value))
                .as("%s %s", schema, text)
                .isTrue();
    }

    /** A text of the grammar, byte by byte at random; after a while by the bytes that close something. Null if it does not come to an end. */
    private static @Nullable String walk(Acceptor acceptor, Random random) {
        Acceptor.State state = acceptor.start();
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        int freely = 1 + random.nextInt(60);
        while (text.size() < 2_000) {
            if (!state.mayContinue() || (state.mayEnd() && random.nextInt(3) == 0)) {
                return text.toString(StandardCharsets.UTF_8);
            }
            int[] bytes = new int[256];
            int count = 0;
            for (int b = 0; b < 256; b++) {
                if (acceptor.after(state, b) != null) {
                    bytes[count++] = b;
                }
            }
            assertThat(count).as("a dead end behind %s", text).isPositive();
            int b = bytes[random.nextInt(count)];
            for (int closing : text.size() > freely ? "\"}]".getBytes(StandardCharsets.US_ASCII) : new byte[0]) {
                b = acceptor.after(state, closing) != null && random.nextInt(8) > 0 ? closing : b;
            }
            text.write(b);
            state = java.util.Objects.requireNonNull(acceptor.after(state, b));
        }
        return null;
    }

    private static String mutated(String text, Random random) {
        StringBuilder mutated = new StringBuilder(text);
        for (int n = random.nextInt(3); n >= 0; n--) {
            int at = random.nextInt(mutated.length());
            String signs = " \n\"\\{}[],:.-+eE019antfu";
            char c = signs.charAt(random.nextInt(signs.length()));
            switch (random.nextInt(4)) {
                case 0 -> mutated.insert(at, c);
                case 1 -> mutated.setCharAt(at, c);
                case 2 -> mutated.insert(at, mutated.charAt(random.nextInt(mutated.length())));
                default -> {
                    if (mutated.length() > 1) {
                        mutated.deleteCharAt(at);
                    }
                }
            }
        }
        return mutated.toString();
    }
}
