package dev.obr.cli;

import dev.obr.models.hub.PullProgress;
import dev.obr.models.hub.SizeText;
import java.util.Locale;

/** How far a pull is: a line for each file, and between them a bar, or on what is no terminal a line every few seconds. */
final class PullNotes implements PullProgress {
    private static final double SECONDS_BETWEEN_LINES = 5;
    private static final double SECONDS_BETWEEN_BARS = 0.2;

    private final Console console;
    private final String model;
    private long start;
    private double noted;
    private long total;
    private long present;
    private long here;

    PullNotes(Console console, String model) {
        this.console = console;
        this.model = model;
    }

    @Override
    public void begin(int files, long bytes, long left) {
        start = System.nanoTime();
        total = bytes;
        present = left;
        here = left;
        String begun = left > 0 ? ", " + SizeText.of(left) + " of them here" : "";
        console.note(
                files == 0
                        ? model + ": all files are here"
                        : model + ": " + (files == 1 ? "1 file" : files + " files") + ", " + SizeText.of(bytes)
                                + begun);
    }

    @Override
    public void received(long bytes) {
        here += bytes;
        double seconds = seconds();
        if (seconds - noted < (console.showsBars() ? SECONDS_BETWEEN_BARS : SECONDS_BETWEEN_LINES)) {
            return;
        }
        noted = seconds;
        double rate = Math.max(1, (here - present) / seconds);
        console.bar(String.format(
                Locale.ROOT,
                "%s of %s, %s/s, %.0f s left",
                SizeText.of(here),
                SizeText.of(total),
                SizeText.of((long) rate),
                Math.max(0, total - here) / rate));
    }

    @Override
    public void finished(String file, long bytes) {
        console.note(file + ", " + SizeText.of(bytes));
    }

    @Override
    public void note(String sentence) {
        console.note(sentence);
    }

    private double seconds() {
        return (System.nanoTime() - start) / 1e9;
    }
}
