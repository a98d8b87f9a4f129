package dev.obr.bench.gate;

import dev.obr.bench.gate.Change.Verdict;
import dev.obr.bench.results.Figure;
import dev.obr.bench.results.ResultFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a gate found, for people.
 *
 * @param changes of all ratios
 */
public record GateReport(ResultFile before, ResultFile after, double threshold, List<Change> changes) {
    public GateReport {
        changes = List.copyOf(changes);
    }

    /** Two files through a gate. */
    public static GateReport of(ResultFile before, ResultFile after, double threshold) {
        return new GateReport(before, after, threshold, new Gate(threshold).compare(before, after));
    }

    /** Whether nothing regressed. */
    public boolean passes() {
        return count(Verdict.REGRESSED) == 0;
    }

    /** A Markdown table of what is not alike, and sentences around it. */
    public String markdown() {
        StringBuilder text = new StringBuilder();
        if (count(Verdict.ALIKE) < changes.size()) {
            text.append("| row | ratio | before | after | change | |\n|---|---|--:|--:|--:|---|\n");
            for (Change change : changes) {
                if (change.verdict() != Verdict.ALIKE) {
                    text.append(line(change));
                }
            }
            text.append('\n');
        }
        text.append(summary()).append('\n');
        doubts().forEach(doubt -> text.append(doubt).append('\n'));
        return text.toString();
    }

    private String summary() {
        List<String> parts = new ArrayList<>();
        for (Verdict verdict : Verdict.values()) {
            if (count(verdict) > 0) {
                parts.add(count(verdict) + " " + verdict.words());
            }
        }
        return String.format(
                Locale.ROOT,
                "%d ratio%s, threshold %.0f%%: %s.",
                changes.size(),
                changes.size() == 1 ? "" : "s",
                100 * threshold,
                String.join(", ", parts));
    }

    private List<String> doubts() {
        List<String> doubts = new ArrayList<>();
        if (!before.machine().cpu().equals(after.machine().cpu())
                || before.machine().cores() != after.machine().cores()
                || !String.valueOf(before.machine().gpu())
                        .equals(String.valueOf(after.machine().gpu()))) {
            doubts.add("Measured on different machines, which shifts ratios too: " + machine(before) + "; "
                    + machine(after) + ".");
        }
        if (before.noise() != null) {
            doubts.add("The older run was disturbed: " + before.noise() + ".");
        }
        if (after.noise() != null) {
            doubts.add("The newer run was disturbed: " + after.noise() + ".");
        }
        return doubts;
    }

    private static String machine(ResultFile results) {
        String gpu = results.machine().gpu();
        return results.machine().cpu() + ", " + results.machine().cores() + " cores" + (gpu == null ? "" : ", " + gpu);
    }

    private static String line(Change change) {
        String row = change.row().entrySet().stream()
                .map(entry -> entry.getKey() + " " + entry.getValue())
                .collect(Collectors.joining(", "));
        return "| %s | %s | %s | %s | %s | %s |\n"
                .formatted(
                        row,
                        change.figure(),
                        number(change.before()),
                        number(change.after()),
                        percent(change.before(), change.after()),
                        change.verdict().words());
    }

    private static String number(@Nullable Figure figure) {
        return figure == null
                ? ""
                : String.format(Locale.ROOT, "%.2f (%.2f-%.2f)", figure.median(), figure.low(), figure.high());
    }

    private static String percent(@Nullable Figure before, @Nullable Figure after) {
        return before == null || after == null
                ? ""
                : String.format(Locale.ROOT, "%+.0f%%", 100 * (after.median() / before.median() - 1));
    }

    private long count(Verdict verdict) {
        return changes.stream().filter(change -> change.verdict() == verdict).count();
    }
}
