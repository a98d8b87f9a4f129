package dev.obr.models.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.ObrException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Damaged tokenizers load, or fail with an {@link ObrException}; nothing else is thrown, and what loads can be used. */
class TokenizerFuzzTest {
    private static final String TEXT = "Once <s> upon\n 12 é 🙂 <|eot|>";

    @Test
    void damagedTokenizerJson() {
        byte[] original = Fixture.bytes("stories260K.json");
        Random random = new Random(1);
        int loaded = 0;
        for (int round = 0; round < 2000; round++) {
            byte[] damaged = original.clone();
            for (int n = random.nextInt(3); n >= 0; n--) {
                // The structure is in the first and last bytes; the vocabulary between them is all alike.
                int part = random.nextInt(3);
                int at = part == 2 ? random.nextInt(damaged.length) : random.nextInt(1500);
                at = part == 1 ? damaged.length - 1 - at : at;
                damaged[at] = damaged(damaged[at], random);
            }
            if (round % 10 == 0) {
                damaged = Arrays.copyOf(damaged, random.nextInt(damaged.length));
            }
            try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(damaged, null, "fuzz/tokenizer.json")) {
                use(tokenizer);
                loaded++;
            } catch (ObrException expected) {
                assertThat(expected).hasMessageContaining("fuzz/tokenizer.json");
            }
        }
        assertThat(loaded).isBetween(100, 1900);
    }

    @Test
    void damagedGgufMetadata() {
        Random random = new Random(2);
        int loaded = 0;
        List<Map<String, Object>> originals = List.of(
                Fixture.read("sentencepiece").metadata(),
                Fixture.read("llama-bpe").metadata());
        for (int round = 0; round < 4000; round++) {
            Map<String, Object> metadata = new LinkedHashMap<>(originals.get(round % 2));
            List<String> keys = List.copyOf(metadata.keySet());
            for (int n = random.nextInt(2); n >= 0; n--) {
                String key = keys.get(random.nextInt(keys.size()));
                Object value = damaged(metadata.getOrDefault(key, true), random);
                if (value == null) {
                    metadata.remove(key);
                } else {
                    metadata.put(key, value);
                }
            }
            try (GgufTokenizer tokenizer = GgufTokenizer.create(metadata, "fuzz.gguf")) {
                use(tokenizer);
                loaded++;
            } catch (ObrException expected) {
                assertThat(expected).hasMessageContaining("fuzz.gguf");
            }
        }
        assertThat(loaded).isBetween(400, 3900);
    }

    private static void use(Tokenizer tokenizer) {
        int[] ids = tokenizer.encode(TEXT, true);
        tokenizer.decode(ids);
        for (int id : ids) {
            tokenizer.piece(id);
        }
    }

    /** Another character: mostly one that leaves JSON what it is, so that damage reaches further than its parser. */
    private static byte damaged(byte character, Random random) {
        if (random.nextInt(8) == 0) {
            return (byte) random.nextInt(256);
        }
        if (Character.isDigit(character)) {
            return (byte) ('0' + random.nextInt(10));
        }
        return Character.isLetter(character) ? (byte) ('a' + random.nextInt(26)) : character;
    }

    /** Another value, often of the same type; null removes it. */
    private static @Nullable Object damaged(Object value, Random random) {
        if (random.nextInt(8) == 0) {
            return null;
        }
        if (random.nextInt(8) == 0) {
            return List.of(
                            true,
                            -1,
                            1L << 40,
                            Float.NaN,
                            "llama",
                            new int[2],
                            new long[600],
                            new float[2],
                            new String[] {"", "a"})
                    .get(random.nextInt(9));
        }
        return switch (value) {
            case Boolean flag -> !flag;
            case Number number -> number.longValue() + random.nextInt(2000) - 1000;
            case String text -> text.isEmpty() ? "x" : text.substring(random.nextInt(text.length()));
            case int[] numbers -> {
                int[] copy = Arrays.copyOf(numbers, numbers.length - (random.nextInt(4) == 0 ? 1 : 0));
                copy[random.nextInt(copy.length)] = random.nextInt(9) - 1;
                yield copy;
            }
            case float[] numbers -> {
                float[] copy = Arrays.copyOf(numbers, numbers.length - (random.nextInt(4) == 0 ? 1 : 0));
                copy[random.nextInt(copy.length)] = Float.intBitsToFloat(random.nextInt());
                yield copy;
            }
            case String[] texts -> {
                String[] copy = Arrays.copyOf(texts, texts.length - (random.nextInt(4) == 0 ? 1 : 0));
                copy[random.nextInt(copy.length)] =
                        List.of("", " ", "a", "<s>", "▁", "x y", copy[0]).get(random.nextInt(7));
                yield copy;
            }
            default -> value;
        };
    }
}
