package dev.obr.bench.gate;

import dev.obr.bench.results.Figure;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One ratio of the older file and what became of it.
 *
 * @param row its key
 * @param figure its name
 * @param before of the older file; null where only the newer has it
 * @param after of the newer file; null where it is missing there
 */
public record Change(
        Map<String, String> row,
        String figure,
        @Nullable Figure before,
        @Nullable Figure after,
        Verdict verdict) {
    /** What a change means. */
    public enum Verdict {
        /** Less, by more than the threshold and more than the repetitions spread. */
        REGRESSED("regressed"),
        /** Less by more than the threshold, but the quarters of the repetitions overlap: nothing is shown. */
        UNCERTAIN("less, within the spread"),
        /** More, by more than the threshold. */
        IMPROVED("improved"),
        /** Within the threshold. */
        ALIKE("alike"),
        /** The newer file lacks it. */
        MISSING("missing in the newer"),
        /** The older file lacks it. */
        ADDED("new");

        private final String words;

        Verdict(String words) {
            this.words = words;
        }

        /** As a table says it. */
        public String words() {
            return words;
        }
    }
}
