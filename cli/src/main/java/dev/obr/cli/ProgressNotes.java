package dev.obr.cli;

import dev.obr.compressor.eval.EvaluationProgress;
import java.util.Locale;

/** How far a long measurement is: a line on stderr every few seconds. */
final class ProgressNotes implements EvaluationProgress {
    private static final double SECONDS_BETWEEN = 2;

    private final Console console;
    private final String unit;
    private final long start = System.nanoTime();
    private double noted;

    /** @param unit what is counted: {@code window} */
    ProgressNotes(Console console, String unit) {
        this.console = console;
        this.unit = unit;
    }

    @Override
    public void step(int done, int total, String soFar) {
        double seconds = (System.nanoTime() - start) / 1e9;
        if (done < total && seconds - noted < SECONDS_BETWEEN) {
            return;
        }
        noted = seconds;
        console.note(String.format(
                Locale.ROOT,
                "%s %d of %d: %s, %.0f s left",
                unit,
                done,
                total,
                soFar,
                seconds / done * (total - done)));
    }
}
