package dev.obr.runtime.grammar;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** The types of JSON Schema. An integer is a number, too. */
enum JsonType {
    NULL,
    BOOLEAN,
    INTEGER,
    NUMBER,
    STRING,
    ARRAY,
    OBJECT;

    /** Every type, each value in one: NUMBER stands for integers, too. */
    static final Set<JsonType> ALL = Set.copyOf(EnumSet.complementOf(EnumSet.of(INTEGER)));

    /** The word that schemas use. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** All words, for messages. */
    static String words() {
        return Arrays.stream(values()).map(JsonType::word).collect(Collectors.joining(", "));
    }

    /** The type that schemas call {@code word}, or null. */
    static @Nullable JsonType of(String word) {
        return Arrays.stream(values())
                .filter(type -> type.word().equals(word))
                .findFirst()
                .orElse(null);
    }

    /** What is in both sets, each value in one type. */
    static Set<JsonType> both(Set<JsonType> a, Set<JsonType> b) {
        EnumSet<JsonType> both = EnumSet.noneOf(JsonType.class);
        for (JsonType type : values()) {
            if (covers(a, type) && covers(b, type)) {
                both.add(type);
            }
        }
        if (both.contains(NUMBER)) {
            both.remove(INTEGER);
        }
        return both;
    }

    /** Whether a value is of one of {@code types}. */
    static boolean isOneOf(Set<JsonType> types, JsonNode value) {
        return switch (value.getNodeType()) {
            case NULL -> types.contains(NULL);
            case BOOLEAN -> types.contains(BOOLEAN);
            case NUMBER -> types.contains(NUMBER) || (types.contains(INTEGER) && isWhole(value));
            case STRING -> types.contains(STRING);
            case ARRAY -> types.contains(ARRAY);
            case OBJECT -> types.contains(OBJECT);
            case BINARY, MISSING, POJO -> false;
        };
    }

    private static boolean covers(Set<JsonType> set, JsonType type) {
        return set.contains(type) || (type == INTEGER && set.contains(NUMBER));
    }

    private static boolean isWhole(JsonNode number) {
        return number.isIntegralNumber()
                || number.decimalValue().stripTrailingZeros().scale() <= 0;
    }
}
