package dev.obr.runtime.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.models.Model;
import dev.obr.models.demo.DemoModel;
import dev.obr.models.tokenizer.Tokenizer;
import dev.obr.runtime.sampling.Sampler;
import dev.obr.runtime.sampling.SamplerOptions;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Which tokens may come next, against reading the whole text again with every one of them. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TokenConstraintTest {
    private static final String SCHEMA = """
            {"type": "object",
             "properties": {
               "name": {"type": "string", "maxLength": 12},
               "kind": {"enum": ["cat", "dog", "émeu 🙂"]},
               "age": {"type": "integer", "minimum": 0, "maximum": 120},
               "tags": {"type": "array", "items": {"type": "string", "maxLength": 4}, "maxItems": 3}},
             "required": ["kind", "age"], "additionalProperties": false}""";

    private Model model;
    private Tokenizer tokenizer;
    private TokenTrie trie;
    private int end;

    @BeforeAll
    void open() {
        model = DemoModel.open();
        tokenizer = model.tokenizer();
        end = model.config().eosTokenIds().iterator().next();
        trie = new TokenTrie(tokenizer, Set.of(end));
    }

    @AfterAll
    void close() {
        model.close();
    }

    @Test
    void maskAndCheckAgreeWithReadingEverythingAgain() {
        Grammar grammar = JsonSchema.grammar(SCHEMA);
        Random random = new Random(1);
        int ended = 0;
        for (int round = 0; round < 5; round++) {
            TokenConstraint constraint = new TokenConstraint(grammar, trie);
            ByteArrayOutputStream text = new ByteArrayOutputStream();
            while (!constraint.isComplete() && text.size() < 300) {
                float[] logits = new float[tokenizer.vocabularySize() + 3]; // a model may have more rows than tokens
                constraint.mask(logits);
                Acceptor again = new Acceptor(grammar);
                for (int id = 0; id < logits.length; id++) {
                    boolean expected = mayFollow(again, text.toByteArray(), id);
                    assertThat(constraint.allows(id)).as("%s then %s", text, id).isEqualTo(expected);
                    assertThat(logits[id]).isEqualTo(expected ? 0 : Float.NEGATIVE_INFINITY);
                }
                int id;
                do {
                    id = random.nextInt(tokenizer.vocabularySize());
                } while (!constraint.allows(id));
                constraint.accept(id);
                text.writeBytes(tokenizer.bytes(id));
            }
            assertThat(constraint.mayEnd()).isEqualTo(Reading.accepts(grammar, text.toByteArray()));
            ended += constraint.mayEnd() ? 1 : 0;
        }
        assertThat(ended).isPositive();
    }

    private boolean mayFollow(Acceptor acceptor, byte[] text, int id) {
        if (id == end) {
            Acceptor.State state = acceptor.after(acceptor.start(), text);
            return state != null && state.mayEnd();
        }
        byte[] token = id < tokenizer.vocabularySize() ? tokenizer.bytes(id) : new byte[0];
        byte[] both = Arrays.copyOf(text, text.length + token.length);
        System.arraycopy(token, 0, both, text.length, token.length);
        return token.length > 0 && acceptor.after(acceptor.start(), both) != null;
    }

    @Test
    void checkingFirstChoosesWhatMaskingFirstWould() {
        Grammar grammar = JsonSchema.grammar(SCHEMA);
        Random random = new Random(2);
        for (int round = 0; round < 8; round++) {
            TokenConstraint checked = new TokenConstraint(grammar, trie);
            TokenConstraint masked = new TokenConstraint(grammar, trie);
            Sampler greedy =
                    new Sampler(SamplerOptions.defaults().withTemperature(0).withRepeatPenalty(1.3f));
            int[] context = new int[200];
            for (int length = 0; length < context.length && !checked.isComplete(); length++) {
                float[] logits = new float[tokenizer.vocabularySize()];
                for (int i = 0; i < logits.length; i++) {
                    logits[i] = (float) random.nextGaussian();
                }
                float[] copy = logits.clone();
                masked.mask(copy);
                int expected = greedy.next(copy, context, length);
                masked.accept(expected);
                context[length] = checked.next(greedy, logits, context, length);
                assertThat(context[length]).isEqualTo(expected);
            }
        }
    }

    @Test
    void samplingDrawsOnlyWhatIsAllowed() {
        Grammar grammar = JsonSchema.grammar(SCHEMA);
        Random random = new Random(3);
        for (SamplerOptions options : new SamplerOptions[] {
            SamplerOptions.defaults(),
            SamplerOptions.defaults().withTopK(0).withTopP(1).withMinP(0)
        }) {
            for (int round = 0; round < 8; round++) {
                TokenConstraint constraint = new TokenConstraint(grammar, trie);
                Sampler sampler = new Sampler(options.withSeed(round));
                for (int n = 0; n < 60 && !constraint.isComplete(); n++) {
                    float[] logits = new float[tokenizer.vocabularySize()];
                    for (int i = 0; i < logits.length; i++) {
                        logits[i] = (float) (8 * random.nextGaussian());
                    }
                    constraint.next(sampler, logits, new int[0], 0); // accept refuses what is not allowed
                }
            }
        }
    }

    @Test
    void charactersOfManyTokensAreWritten() {
        String text = "{\"kind\":\"émeu 🙂\",\"age\":7}";
        TokenConstraint constraint = new TokenConstraint(JsonSchema.grammar(SCHEMA), trie);
        // byte by byte, which splits every character that is not ASCII
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            assertThat(constraint.mayEnd()).isFalse();
            constraint.accept(tokenOf(b));
        }
        assertThat(constraint.isComplete()).isTrue();
    }

    private int tokenOf(byte b) {
        for (int id = 0; id < tokenizer.vocabularySize(); id++) {
            if (Arrays.equals(tokenizer.bytes(id), new byte[] {b})) {
                return id;
            }
        }
        throw new AssertionError("no token for byte " + b);
    }

    @Test
    void theEndComesOnlyWhereTheTextMayEnd() {
        TokenConstraint constraint = new TokenConstraint(JsonSchema.grammar("{\"type\": \"integer\"}"), trie);
        assertThat(constraint.allows(end)).isFalse();
        constraint.accept(tokenOf((byte) '4'));
        assertThat(constraint.allows(end)).isTrue();
        assertThat(constraint.mayEnd()).isTrue();
        assertThat(constraint.isComplete()).isFalse();
        constraint.accept(end);
        assertThat(constraint.isComplete()).isTrue();
        assertThat(constraint.allows(tokenOf((byte) '2'))).isFalse();
        assertThat(constraint.allows(end)).isFalse();
        assertThat(constraint.allows(-1)).isFalse();
    }

    @Test
    void aRefusedTokenIsAnError() {
        TokenConstraint constraint = new TokenConstraint(JsonSchema.anyObject(), trie);
        assertThatThrownBy(() -> constraint.accept(tokenOf((byte) '['))).isInstanceOf(IllegalArgumentException.class);
        constraint.accept(tokenOf((byte) '{'));
    }

    @Test
    void aVocabularyThatCannotSpellTheTextIsAnError() {
        TokenTrie letters = new TokenTrie(
                new Tokenizer() {
                    @Override
                    public int[] encode(String text, boolean addSpecialTokens) {
                        return text.chars().map(c -> c - 'a').toArray();
                    }

                    @Override
                    public byte[] bytes(int id) {
                        return new byte[] {(byte) ('a' + id)};
                    }

                    @Override
                    public String piece(int id) {
                        return Character.toString('a' + id);
                    }

                    @Override
                    public int id(String piece) {
                        return piece.charAt(0) - 'a';
                    }

                    @Override
                    public int vocabularySize() {
                        return 26;
                    }

                    @Override
                    public boolean dropsLeadingSpace() {
                        return false;
                    }
                },
                Set.of());
        TokenConstraint word = new TokenConstraint(JsonSchema.grammar("{\"const\": true}"), letters);
        "tru".chars().forEach(c -> word.accept(c - 'a'));
        float[] logits = new float[26];
        word.mask(logits);
        assertThat(logits['e' - 'a']).isZero();
        TokenConstraint number = new TokenConstraint(JsonSchema.grammar("{\"const\": 1}"), letters);
        assertThatThrownBy(() -> number.mask(logits))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("vocabulary");
    }
}
