package dev.obr.models.tokenizer;

import dev.obr.kernels.ObrException;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Typed access to the {@code tokenizer.ggml.*} metadata of a GGUF file; a value of another type is an error that names the file and the key.
 *
 * @param metadata by full key: String, Number, Boolean, String[], float[], int[] or long[]
 * @param source the file, for messages
 */
record GgufKeys(Map<String, Object> metadata, String source) {
    private static final String PREFIX = "tokenizer.ggml.";

    @Nullable
    String string(String key) {
        return switch (value(key)) {
            case null -> null;
            case String text -> text;
            case Object other -> throw wrongType(key, other, "a string");
        };
    }

    boolean flag(String key, boolean otherwise) {
        return switch (value(key)) {
            case null -> otherwise;
            case Boolean flag -> flag;
            case Object other -> throw wrongType(key, other, "true or false");
        };
    }

    /** A token id: {@code otherwise} where the key is missing, else within the vocabulary. */
    int id(String key, int otherwise, int vocabularySize) {
        return switch (value(key)) {
            case null -> otherwise;
            case Number number -> {
                long id = number.longValue();
                if (id < 0 || id >= vocabularySize) {
                    throw error(
                            PREFIX + key + " is " + id + ", outside the vocabulary of " + vocabularySize + " tokens");
                }
                yield (int) id;
            }
            case Object other -> throw wrongType(key, other, "a token id");
        };
    }

    String[] strings(String key) {
        return switch (value(key)) {
            case null -> throw error(PREFIX + key + " is missing");
            case String[] texts -> texts;
            case Object other -> throw wrongType(key, other, "an array of strings");
        };
    }

    /** An array with one number a token. */
    float[] floats(String key, int tokens) {
        float[] numbers = switch (value(key)) {
            case null -> throw error(PREFIX + key + " is missing");
            case float[] floats -> floats;
            case Object other -> throw wrongType(key, other, "an array of floats");
        };
        checkLength(key, numbers.length, tokens);
        return numbers;
    }

    /** An array with one number a token, or null where the key is missing. */
    int @Nullable [] integers(String key, int tokens) {
        int[] numbers = switch (value(key)) {
            case null -> null;
            case int[] ints -> ints;
            case long[] longs -> Arrays.stream(longs).mapToInt(n -> (int) n).toArray();
            case Object other -> throw wrongType(key, other, "an array of integers");
        };
        if (numbers != null) {
            checkLength(key, numbers.length, tokens);
        }
        return numbers;
    }

    /** An error about this file's tokenizer. */
    ObrException error(String found) {
        return new ObrException(
                source + ": " + found + "; convert the model again with a current convert_hf_to_gguf.py");
    }

    private @Nullable Object value(String key) {
        return metadata.get(PREFIX + key);
    }

    private void checkLength(String key, int length, int tokens) {
        if (length != tokens) {
            throw error(PREFIX + key + " has " + length + " entries for " + tokens + " tokens");
        }
    }

    private ObrException wrongType(String key, Object value, String expected) {
        return error(PREFIX + key + " is of type " + value.getClass().getSimpleName() + ", expected " + expected);
    }
}
