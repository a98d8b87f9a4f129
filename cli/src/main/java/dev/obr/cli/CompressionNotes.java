package dev.obr.cli;

import dev.obr.compressor.obr.Certificate;
import dev.obr.compressor.pipeline.CompressionProgress;
import dev.obr.compressor.pipeline.LinearReport;
import java.util.Locale;

/**
 * How far a compression is: a line for each linear layer, one with the time left for each decoder layer, and between them a bar that shows the step at hand. Where stderr is no
 * terminal, the bar is a line every ten seconds.
 */
final class CompressionNotes implements CompressionProgress {
    private static final double SECONDS_BETWEEN = 10;
    private static final double BAR_SECONDS_BETWEEN = 0.2;
    private static final int BAR_WIDTH = 24;

    private final Console console;
    private final boolean quiet;
    private final double start = seconds();
    private double noted = start;
    private int finishedLayers;
    private String left = "";

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
        double wait = console.showsBars() ? BAR_SECONDS_BETWEEN : SECONDS_BETWEEN;
        if (quiet || seconds() - noted < wait) {
            return;
        }
        noted = seconds();
        int filled = done * BAR_WIDTH / total;
        console.bar(String.format(
                Locale.ROOT,
                "layer %d  %-18s [%s%s] %d of %d samples%s",
                layer + 1,
                step,
                "#".repeat(filled),
                ".".repeat(BAR_WIDTH - filled),
                done,
                total,
                left));
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
        Certificate certificate = report.certificate();
        if (certificate != null) {
            note(String.format(
                    Locale.ROOT,
                    "  solved to within %.2g of the exact solution's loss, in %d iterations",
                    certificate.relativeExcess(),
                    certificate.iterations()));
        }
        report.notes().forEach(sentence -> note("  " + sentence));
    }

    @Override
    public void finished(int layer, int layers) {
        finishedLayers++;
        long rest = Math.round((seconds() - start) / finishedLayers * (layers - layer - 1));
        left = String.format(Locale.ROOT, ", %d:%02d left", rest / 60, rest % 60);
        note("layer " + (layer + 1) + " of " + layers + " done" + left);
    }
}
