package dev.obr.server;

import dev.obr.models.file.Excerpt;
import dev.obr.models.file.JsonTree;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The fields of a JSON object in a request. {@code null} counts as absent; a value of the wrong type is an error that names it.
 *
 * @param path where the object stands: "" for the body, else such as {@code messages[0].}
 */
record Fields(String path, JsonNode object) {
    /** Reads a body, which must be one JSON object. */
    static Fields body(byte[] body) {
        JsonNode root;
        try {
            root = JsonTree.parse(body);
        } catch (IOException malformed) {
            throw ApiException.wrong(
                    null, "The body is not valid JSON: " + Excerpt.of(String.valueOf(malformed.getMessage())) + ".");
        }
        if (!root.isObject()) {
            throw ApiException.wrong(null, "The body is " + shown(root) + ", but must be a JSON object.");
        }
        return new Fields("", root);
    }

    static String shown(JsonNode value) {
        String text = value.toString();
        return text.length() <= 60 ? Excerpt.of(text) : Excerpt.of(text.substring(0, 57)) + "...";
    }

    @Nullable
    JsonNode get(String name) {
        JsonNode value = object.get(name);
        return value == null || value.isNull() ? null : value;
    }

    boolean has(String name) {
        return get(name) != null;
    }

    ApiException unusable(String name, String expected) {
        JsonNode value = object.get(name);
        String found = value == null ? "missing" : shown(value);
        return ApiException.wrong(path + name, path + name + " is " + found + ", but must be " + expected + ".");
    }

    boolean flag(String name) {
        JsonNode value = get(name);
        if (value != null && !value.isBoolean()) {
            throw unusable(name, "true or false");
        }
        return value != null && value.booleanValue();
    }

    @Nullable
    String text(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return null;
        }
        if (!value.isString()) {
            throw unusable(name, "a string");
        }
        return whole(path + name, value.stringValue());
    }

    String requiredText(String name) {
        String text = text(name);
        if (text == null) {
            throw unusable(name, "a string");
        }
        return text;
    }

    /** A text of whole characters: escapes may hold half of one. */
    static String whole(String parameter, String text) {
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            throw ApiException.wrong(parameter, parameter + " holds half of a surrogate pair: it is no Unicode text.");
        }
        return text;
    }

    /** A whole number within a range. */
    int integer(String name, int otherwise, int least, int most) {
        return (int) integer(name, (long) otherwise, least, most);
    }

    long integer(String name, long otherwise, long least, long most) {
        JsonNode value = get(name);
        if (value == null) {
            return otherwise;
        }
        double number = value.isNumber() ? value.doubleValue() : Double.NaN;
        if (!(number >= least && number <= most) || number != Math.rint(number)) {
            throw unusable(name, "a whole number, " + least + " to " + most);
        }
        return value.isIntegralNumber() && value.canConvertToLong() ? value.longValue() : (long) number;
    }

    /** A number for which {@code least <= number <= most}. */
    float number(String name, float otherwise, double least, double most) {
        JsonNode value = get(name);
        if (value == null) {
            return otherwise;
        }
        double number = value.isNumber() ? value.doubleValue() : Double.NaN;
        if (!(number >= least && number <= most)) {
            throw unusable(name, "a number, " + plain(least) + " to " + plain(most));
        }
        return (float) number;
    }

    private static String plain(double number) {
        return new BigDecimal(Double.toString(number)).stripTrailingZeros().toPlainString();
    }

    /** The object in a field, or null. */
    @Nullable
    Fields child(String name) {
        JsonNode value = get(name);
        if (value != null && !value.isObject()) {
            throw unusable(name, "an object");
        }
        return value == null ? null : new Fields(path + name + ".", value);
    }

    /** The objects of a list; none where it is absent. */
    List<Fields> children(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return List.of();
        }
        if (!value.isArray()) {
            throw unusable(name, "a list of objects");
        }
        List<Fields> children = new ArrayList<>();
        for (int i = 0; i < value.size(); i++) {
            if (!value.get(i).isObject()) {
                throw unusable(name, "a list of objects");
            }
            children.add(new Fields(path + name + "[" + i + "].", value.get(i)));
        }
        return children;
    }

    /** One text or a list of them; none where it is absent. */
    List<String> texts(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return List.of();
        }
        List<String> texts = new ArrayList<>();
        for (JsonNode item : value.isArray() ? value.values() : List.of(value)) {
            if (!item.isString()) {
                throw unusable(name, "a string or a list of strings");
            }
            texts.add(whole(path + name, item.stringValue()));
        }
        return texts;
    }
}
