package dev.obr.bench.results;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What was measured of one case.
 *
 * @param key what tells this row from the others of its file, e.g. shape, tokens, variant; values are words or numbers as they are shown
 * @param figures by their names, e.g. {@code time}, {@code speedup}; in the order in which they are shown
 */
public record ResultRow(Map<String, String> key, Map<String, Figure> figures) {
    public ResultRow {
        key = Collections.unmodifiableMap(new LinkedHashMap<>(key));
        figures = Collections.unmodifiableMap(new LinkedHashMap<>(figures));
    }
}
