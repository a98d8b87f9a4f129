package dev.obr.models.file;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * One JSON object from a model's files, whose getters name the file, the field and the value found when that value can't be used.
 *
 * @param source the file's name, for messages
 * @param root a JSON object
 */
public record JsonFile(String source, JsonNode root) {
    private static final long MAX_BYTES = 256L << 20; // tokenizer.json, the largest of them, stays below 40 MB

    /** Reads a file that must exist and hold one JSON object without duplicate names. */
    public static JsonFile read(Path file) {
        return parse(readBytes(file), file.toString());
    }

    /** The bytes of a small file of a model. */
    public static byte[] readBytes(Path file) {
        try {
            long size = Files.size(file);
            if (size > MAX_BYTES) {
                throw new ObrException(file + " has " + size + " bytes, too many for a JSON file of a model (limit "
                        + MAX_BYTES + "); is it the right file?");
            }
            return Files.readAllBytes(file);
        } catch (NoSuchFileException missing) {
            throw new ObrException(file + " does not exist; copy it from where the model came from", missing);
        } catch (IOException failure) {
            throw new ObrException(MappedFile.cannotRead(file, failure), failure);
        }
    }

    /** Parses UTF-8 text that must hold one JSON object without duplicate names. */
    public static JsonFile parse(byte[] text, String source) {
        JsonNode root;
        try {
            root = JsonTree.parse(text);
        } catch (IOException malformed) {
            throw new ObrException(
                    source + " is not valid JSON (" + Excerpt.of(String.valueOf(malformed.getMessage()))
                            + "); download the file again",
                    malformed);
        }
        if (!root.isObject()) {
            throw new ObrException(source + " is not a JSON object; download the file again");
        }
        return new JsonFile(source, root);
    }

    /** The field's value, or null where it is absent or JSON null. */
    public @Nullable JsonNode find(String field) {
        JsonNode value = root.get(field);
        return value == null || value.isNull() ? null : value;
    }

    public boolean has(String field) {
        return find(field) != null;
    }

    /** The object in {@code field}, or null where there is none. */
    public @Nullable JsonFile object(String field) {
        JsonNode value = find(field);
        if (value == null) {
            return null;
        }
        if (!value.isObject()) {
            throw unusable(field, "an object");
        }
        return new JsonFile(source + ": " + field, value);
    }

    /** A whole number in {@code min .. 2^31 - 1}. */
    public int integer(String field, int min) {
        JsonNode value = find(field);
        if (value == null) {
            throw new ObrException(source + " has no " + field + "; it is needed to run the model");
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < min) {
            throw unusable(field, "a whole number of at least " + min);
        }
        return value.intValue();
    }

    /** A whole number in {@code min .. 2^31 - 1}, or {@code otherwise} where the field is absent. */
    public int integer(String field, int min, int otherwise) {
        return has(field) ? integer(field, min) : otherwise;
    }

    /** A positive finite number, or {@code otherwise} where the field is absent. */
    public double positive(String field, double otherwise) {
        JsonNode value = find(field);
        if (value == null) {
            return otherwise;
        }
        // 1e30 bounds every constant of a model well inside float range
        if (!value.isNumber() || !(value.doubleValue() > 0) || value.doubleValue() > 1e30) {
            throw unusable(field, "a positive number");
        }
        return value.doubleValue();
    }

    /** A boolean, or {@code otherwise} where the field is absent. */
    public boolean flag(String field, boolean otherwise) {
        JsonNode value = find(field);
        if (value == null) {
            return otherwise;
        }
        if (!value.isBoolean()) {
            throw unusable(field, "true or false");
        }
        return value.booleanValue();
    }

    /** A string, or null where the field is absent. */
    public @Nullable String text(String field) {
        JsonNode value = find(field);
        if (value == null) {
            return null;
        }
        if (!value.isString()) {
            throw unusable(field, "a string");
        }
        return value.stringValue();
    }

    /** The error for a field whose value can't be used. */
    public ObrException unusable(String field, String expected) {
        return new ObrException(source + ": " + field + " is " + shown(root.get(field)) + ", but " + expected
                + " is expected; correct the file or download it again");
    }

    /** A value as a message shows it. */
    public static String shown(@Nullable JsonNode value) {
        return Excerpt.of(String.valueOf(value));
    }
}
