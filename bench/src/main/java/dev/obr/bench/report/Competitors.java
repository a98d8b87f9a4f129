package dev.obr.bench.report;

import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Which part of a row's key says what is compared: the one that plots draw a line for and that wins or loses.
 *
 * @param key its name
 */
record Competitors(String key) {
    /** Who is called so does not compete: the model before compression, which the others are compared with. */
    static final String ORIGINAL = "original";

    private static final List<String> KEYS =
            List.of("variant", "method", "program", "engine", "weights", "backend", "gpu", "model");

    /** Of a file: the first of the usual ones, else the last key of its rows. */
    static Optional<Competitors> of(ResultFile results) {
        return KEYS.stream()
                .filter(key -> results.rows().stream().anyMatch(row -> row.key().containsKey(key)))
                .findFirst()
                .or(() -> results.rows().stream()
                        .flatMap(row -> row.key().keySet().stream())
                        .reduce((a, b) -> b))
                .map(Competitors::new);
    }

    /** Who competes in {@code row}. */
    String name(ResultRow row) {
        return row.key().getOrDefault(key, "");
    }

    /** Everybody, in the order of the rows. */
    Stream<String> names(ResultFile results) {
        return results.rows().stream().map(this::name).distinct();
    }

    /** What the row is a case of: its key without the competitor and {@code others}. */
    Map<String, String> rest(ResultRow row, String... others) {
        Map<String, String> rest = new LinkedHashMap<>(row.key());
        rest.remove(key);
        for (String other : others) {
            rest.remove(other);
        }
        return rest;
    }
}
