package dev.obr.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * A byte-level BPE vocabulary of any size that reads every text: two control tokens, the 256 bytes, a space before each letter, and unused tokens up to the size.
 *
 * <p>Written as GPT-2 writes bytes: printable ones as themselves, the others as characters from U+0100 on.
 */
final class RandomVocabulary {
    static final int BEGIN = 0;
    static final int END = 1;
    static final int SMALLEST = 2 + 256 + 26;

    private static final String SPACE = "\u0120"; // byte 0x20

    private final List<String> pieces = new ArrayList<>();
    private final List<String> merges = new ArrayList<>();

    RandomVocabulary(int size) {
        pieces.add("<|begin_of_text|>");
        pieces.add("<|end_of_text|>");
        int next = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b != 0xAD);
            pieces.add(Character.toString(printable ? b : next++));
        }
        for (char letter = 'a'; letter <= 'z'; letter++) {
            merges.add(SPACE + " " + letter);
            pieces.add(SPACE + letter);
        }
        for (int i = pieces.size(); i < size; i++) {
            pieces.add("<|unused_" + i + "|>");
        }
    }

    List<String> pieces() {
        return pieces;
    }

    List<String> merges() {
        return merges;
    }

    /** GGUF's token types: 3 control, 1 normal, 5 unused. */
    int[] types() {
        int[] types = new int[pieces.size()];
        for (int i = 0; i < types.length; i++) {
            types[i] = i <= END ? 3 : i < SMALLEST ? 1 : 5;
        }
        return types;
    }

    /** The vocabulary as a Hugging Face {@code tokenizer.json}. */
    String tokenizerJson() {
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        for (int i = 0; i < pieces.size(); i++) {
            vocabulary.put(pieces.get(i), i);
        }
        Map<String, Object> model = new LinkedHashMap<>();
        model.put("type", "BPE");
        model.put("vocab", vocabulary);
        model.put("merges", merges);
        Map<String, Object> byteLevel =
                Map.of("type", "ByteLevel", "add_prefix_space", false, "trim_offsets", true, "use_regex", true);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("version", "1.0");
        json.put("added_tokens", List.of(control(BEGIN), control(END)));
        json.put("pre_tokenizer", byteLevel);
        json.put("post_processor", template());
        json.put("decoder", byteLevel);
        json.put("model", model);
        return JsonMapper.shared().writeValueAsString(json);
    }

    private Map<String, Object> control(int id) {
        Map<String, Object> token = new LinkedHashMap<>();
        token.put("id", id);
        token.put("content", pieces.get(id));
        for (String property : List.of("single_word", "lstrip", "rstrip", "normalized")) {
            token.put(property, false);
        }
        token.put("special", true);
        return token;
    }

    /** Begins each text with {@link #BEGIN}. */
    private Map<String, Object> template() {
        String begin = pieces.get(BEGIN);
        Map<String, Object> first = Map.of("SpecialToken", Map.of("id", begin, "type_id", 0));
        Map<String, Object> text = Map.of("Sequence", Map.of("id", "A", "type_id", 0));
        Map<String, Object> second = Map.of("Sequence", Map.of("id", "B", "type_id", 1));
        return Map.of(
                "type", "TemplateProcessing",
                "single", List.of(first, text),
                "pair", List.of(first, text, second),
                "special_tokens", Map.of(begin, Map.of("id", begin, "ids", List.of(BEGIN), "tokens", List.of(begin))));
    }
}
