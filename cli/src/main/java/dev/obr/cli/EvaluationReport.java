package dev.obr.cli;

import dev.obr.compressor.eval.Divergence;
import dev.obr.compressor.eval.MeanAndError;
import dev.obr.compressor.eval.Perplexity;
import dev.obr.compressor.eval.TextReport;
import dev.obr.compressor.eval.TextWindows;
import dev.obr.compressor.eval.zeroshot.TaskResult;
import dev.obr.runtime.LanguageModel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What {@code eval} found, as lines for people and as one JSON object. */
final class EvaluationReport {
    private final LanguageModel model;
    private final List<TaskResult> tasks = new ArrayList<>();
    private @Nullable TextWindows windows;
    private @Nullable TextReport text;
    private @Nullable String reference;

    EvaluationReport(LanguageModel model) {
        this.model = model;
    }

    /** @param reference the name of the model compared with, or null */
    void add(TextWindows measured, TextReport found, @Nullable String reference) {
        this.windows = measured;
        this.text = found;
        this.reference = reference;
    }

    void add(TaskResult result) {
        tasks.add(result);
    }

    /** Tasks first; the last line is the perplexity, if there is one. */
    String lines() {
        StringBuilder lines = new StringBuilder();
        tasks.forEach(result -> lines.append(line(result)));
        if (tasks.size() > 1) {
            lines.append(format("%-16s %.4f (acc_norm where there is one, else acc)", "average", average()));
        }
        if (windows != null && text != null) {
            lines.append(format(
                    "%d tokens, %d windows of %d %s a beginning-of-sequence token, protocol %s, %d predictions, %s",
                    windows.textTokens(),
                    windows.windows().size(),
                    windows.length(),
                    windows.begun() ? "with" : "without",
                    windows.protocol().label(),
                    text.perplexity().logLoss().count(),
                    Notes.precision(model)));
            appendComparison(lines, text);
            lines.append(format(
                    "Final estimate: PPL = %.4f +/- %.5f",
                    text.perplexity().value(), text.perplexity().error()));
        }
        return lines.toString();
    }

    private static String line(TaskResult result) {
        StringBuilder line = new StringBuilder(
                String.format(Locale.ROOT, "%-16s acc %s", result.task().label(), share(result.acc())));
        if (result.accNorm() != null) {
            line.append(", acc_norm ").append(share(result.accNorm()));
        }
        if (result.perplexity() != null) {
            line.append(String.format(Locale.ROOT, ", perplexity %.4f", result.perplexity()));
        }
        return line.append(" (" + result.acc().count() + " items)\n").toString();
    }

    /** A single item has no error. */
    private static String share(MeanAndError mean) {
        return Double.isNaN(mean.error())
                ? String.format(Locale.ROOT, "%.4f", mean.mean())
                : String.format(Locale.ROOT, "%.4f +/- %.4f", mean.mean(), mean.error());
    }

    private double average() {
        return tasks.stream()
                .mapToDouble(result -> result.headline().mean())
                .average()
                .orElse(Double.NaN);
    }

    private void appendComparison(StringBuilder lines, TextReport report) {
        Divergence divergence = report.divergence();
        Perplexity perplexity = report.reference();
        if (divergence == null || perplexity == null) {
            return;
        }
        lines.append(format("reference %s: PPL = %.4f +/- %.5f", reference, perplexity.value(), perplexity.error()));
        lines.append(format(
                "KLD: mean %.6f +/- %.6f, median %.6f, 99%% %.6f, maximum %.6f",
                divergence.mean().mean(),
                divergence.mean().error(),
                divergence.median(),
                divergence.percentile99(),
                divergence.maximum()));
        lines.append(format(
                "same top token: %.3f%% +/- %.3f%%",
                100 * divergence.sameTop().mean(), 100 * divergence.sameTop().error()));
    }

    private static String format(String line, @Nullable Object... values) {
        return String.format(Locale.ROOT, line, values) + "\n";
    }

    Map<String, @Nullable Object> json() {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        object.put("model", model.name());
        object.put("device", model.device());
        object.put("kernels", model.kernelsName());
        object.put("a_bits", model.promptActivationBits());
        object.put("kv", model.kv().label());
        if (windows != null && text != null) {
            object.put("protocol", windows.protocol().label());
            object.put("context", windows.length());
            object.put("bos", windows.begun());
            object.put("windows", windows.windows().size());
            object.put("text_tokens", windows.textTokens());
            object.put("predictions", text.perplexity().logLoss().count());
            put(object, "", text.perplexity());
            putComparison(object, text);
            object.put("seconds", text.seconds());
            object.put("tok_s", text.tokensPerSecond());
        }
        if (!tasks.isEmpty()) {
            Map<String, Object> byName = new LinkedHashMap<>();
            tasks.forEach(result -> byName.put(result.task().label(), json(result)));
            object.put("tasks", byName);
            object.put("average", average());
        }
        return object;
    }

    private void putComparison(Map<String, @Nullable Object> object, TextReport report) {
        Divergence divergence = report.divergence();
        if (divergence == null || report.reference() == null) {
            return;
        }
        object.put("reference", reference);
        put(object, "reference_", report.reference());
        put(object, "kld_mean", divergence.mean());
        object.put("kld_median", divergence.median());
        object.put("kld_99", divergence.percentile99());
        object.put("kld_max", divergence.maximum());
        put(object, "same_top", divergence.sameTop());
    }

    private static Map<String, @Nullable Object> json(TaskResult result) {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        object.put("items", result.acc().count());
        put(object, "acc", result.acc());
        if (result.accNorm() != null) {
            put(object, "acc_norm", result.accNorm());
        }
        if (result.perplexity() != null) {
            object.put("perplexity", result.perplexity());
        }
        return object;
    }

    private static void put(Map<String, @Nullable Object> object, String prefix, Perplexity perplexity) {
        object.put(prefix + "perplexity", perplexity.value());
        object.put(prefix + "perplexity_stderr", number(perplexity.error()));
        object.put(prefix + "nll", perplexity.logLoss().mean());
    }

    private static void put(Map<String, @Nullable Object> object, String name, MeanAndError mean) {
        object.put(name, mean.mean());
        object.put(name + "_stderr", number(mean.error()));
    }

    /** JSON has no NaN: the error of a single value is null. */
    private static @Nullable Double number(double value) {
        return Double.isFinite(value) ? value : null;
    }
}
