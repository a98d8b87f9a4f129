package dev.obr.cli;

import dev.obr.compressor.pipeline.CompressionProgress;
import dev.obr.compressor.pipeline.LinearReport;
import java.util.Locale;

/** How far a compression is: a line for each linear layer, and one with the time left for each decoder layer and every ten seconds between. */
final class CompressionNotes implements CompressionProgress {
    private static final double SECONDS_BETWEEN = 10;

    private final Console console;
    private final boolean quiet;
    private double noted = seconds();
    private double firstLayer = seconds();
    private int layersDone;

    CompressionNotes(Console console, boolean quiet) {
        this.console = console;
        this.quiet = quiet;
    }

    private static double seconds() {
        return System.nanoTime() / 1e9;
    }

    @Override
    public void note(String sentence) {
        if (!quiet) {
            console.note(sentence);
            noted = seconds();
        }
    }

    @Override
    public void calibrated(int layer, String step, int done, int total) {
        if (seconds() - noted >= SECONDS_BETWEEN) {
            note("layer " + layer + ": " + step + ", sample " + done + " of " + total);
        }
    }

    @Override
    public void compressed(LinearReport report) {
        note(String.format(
                Locale.ROOT,
                "%-44s %5d x %-5d loss %.4g -> %.4g   zeros %.1f%%   %.2f bits   %.1f s",
                report.name(),
                report.rows(),
                report.cols(),
                report.lossBefore(),
                report.loss(),
                100 * report.zeros(),
                8.0 * report.bytes() / ((double) report.rows() * report.cols()),
                report.seconds()));
        report.notes().forEach(this::note);
        if (report.certificate() != null) {
            note(String.format(
                    Locale.ROOT,
                    "  solved to %.2g of the exact solution's loss in %d iterations",
                    report.certificate().relativeExcess(),
                    report.certificate().iterations()));
        }
    }

    @Override
    public void finished(int layer, int layers) {
        layersDone++;
        double left = (seconds() - firstLayer) / layersDone * (layers - layer - 1);
        note(String.format(Locale.ROOT, "layer %d of %d done, %.0f s left", layer + 1, layers, left));
    }
}
