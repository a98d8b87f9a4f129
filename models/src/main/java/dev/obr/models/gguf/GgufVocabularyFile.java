package dev.obr.models.gguf;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/**
 * A GGUF file without tensors: the tokenizer of another one, to be kept beside weights that have left GGUF. No {@code tokenizer.json} could be derived from it that is sure to
 * encode alike.
 */
public final class GgufVocabularyFile {
    private static final String TOKENIZER = "tokenizer.";

    private GgufVocabularyFile() {}

    /** Writes all metadata of {@code source} that describe its tokenizer, chat template included. */
    public static void write(GgufFile source, Path file) {
        GgufWriter writer = new GgufWriter();
        for (Map.Entry<String, Object> entry : source.metadata().entrySet()) {
            if (entry.getKey().startsWith(TOKENIZER) || entry.getKey().equals("general.architecture")) {
                add(entry.getKey(), entry.getValue(), writer);
            }
        }
        writer.write(file);
    }

    /** Integers take the types that llama.cpp gives them: unsigned where that is possible. Types that no tokenizer uses are left out. */
    private static void add(String key, Object value, GgufWriter writer) {
        switch (value) {
            case String text -> writer.string(key, text);
            case Boolean flag -> writer.bool(key, flag);
            case Float number -> writer.float32(key, number);
            case Integer number -> integer(key, number, writer);
            case Long number -> integer(key, number, writer);
            case String[] texts -> writer.strings(key, Arrays.asList(texts));
            case int[] numbers -> writer.int32s(key, numbers);
            case long[] numbers ->
                writer.int32s(key, Arrays.stream(numbers).mapToInt(n -> (int) n).toArray());
            case float[] numbers -> writer.float32s(key, numbers);
            default -> {}
        }
    }

    private static void integer(String key, long number, GgufWriter writer) {
        if (number >= 0 && number < 1L << 32) {
            writer.uint32(key, number);
        } else if (number >= Integer.MIN_VALUE && number < 0) {
            writer.int32(key, (int) number);
        }
    }
}
