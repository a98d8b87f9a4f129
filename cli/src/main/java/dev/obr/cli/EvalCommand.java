package dev.obr.cli;

import dev.obr.compressor.eval.Bos;
import dev.obr.compressor.eval.Divergence;
import dev.obr.compressor.eval.MeanAndError;
import dev.obr.compressor.eval.Perplexity;
import dev.obr.compressor.eval.Protocol;
import dev.obr.compressor.eval.TextEvaluation;
import dev.obr.compressor.eval.TextFile;
import dev.obr.compressor.eval.TextReport;
import dev.obr.compressor.eval.TextWindows;
import dev.obr.runtime.LanguageModel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code eval}: how good a model is, in numbers. */
@Command(
        name = "eval",
        description = "Measure a model: perplexity of a text, divergence from another model, multiple-choice tasks.")
final class EvalCommand implements Callable<Integer> {
    private final Console console;
    private final CommonOptions common;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Mixin
    private final ModelOptions model = new ModelOptions();

    @Option(
            names = "--text",
            paramLabel = "FILE",
            description =
                    "Measure the perplexity of this text: plain, JSON lines (.jsonl) or a JSON list of texts (.json).")
    private @Nullable Path text;

    @Option(
            names = "--protocol",
            paramLabel = "obr|llama",
            defaultValue = "obr",
            description =
                    "obr: windows of 2048 tokens (or the model's context), all scored; llama: as llama-perplexity, windows of 512, the second half scored. --context sets another length. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Protocol protocol;

    @Option(
            names = "--bos",
            paramLabel = "auto|on|off",
            defaultValue = "auto",
            description =
                    "Whether the beginning-of-sequence token begins each window; auto: if the model's tokenizer adds one. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Bos bos;

    @Option(
            names = {"--reference", "--kld-reference"},
            paramLabel = "MODEL",
            description = "Compare the predictions with those of this model, such as the one before compression.")
    private @Nullable Path reference;

    @Option(
            names = {"--limit", "--windows"},
            paramLabel = "N",
            defaultValue = "0",
            description = "At most N windows of the text; 0 is all.")
    private int limit;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    EvalCommand(Console console, CommonOptions common) {
        this.console = console;
        this.common = common;
    }

    @Override
    public Integer call() {
        if (text == null) {
            throw new ParameterException(spec.commandLine(), "Nothing to measure: give --text FILE");
        }
        if (limit < 0) {
            throw new ParameterException(spec.commandLine(), "--limit is " + limit + ", but must be 0 or more");
        }
        String content = TextFile.read(text);
        try (LanguageModel opened = model.open();
                LanguageModel compared = reference == null ? null : model.open(reference)) {
            if (!common.quiet()) {
                console.note(Notes.model(opened));
            }
            TextWindows windows = windows(opened, content);
            TextReport report = measure(opened, compared, windows);
            if (json) {
                console.println(JsonOutput.line(json(opened, compared, windows, report)));
            } else {
                console.print(lines(compared, windows, report));
            }
        }
        return CommandLineApplication.DONE;
    }

    private TextWindows windows(LanguageModel opened, String content) {
        int length = model.context() > 0 ? model.context() : protocol.window(opened.contextLength());
        int[] tokens = opened.tokenizer().encode(content, false);
        return TextWindows.cut(protocol, tokens, length, bos.token(opened), limit, String.valueOf(text));
    }

    private TextReport measure(LanguageModel opened, @Nullable LanguageModel compared, TextWindows windows) {
        long start = System.nanoTime();
        try (TextEvaluation evaluation = new TextEvaluation(opened, compared, model.threads())) {
            return evaluation.run(windows, (done, total, soFar) -> {
                if (!common.quiet()) {
                    double left = (System.nanoTime() - start) / 1e9 / done * (total - done);
                    console.note(
                            String.format(Locale.ROOT, "window %d of %d: %s, %.0f s left", done, total, soFar, left));
                }
            });
        }
    }

    private static String lines(@Nullable LanguageModel compared, TextWindows windows, TextReport report) {
        StringBuilder lines = new StringBuilder(String.format(
                Locale.ROOT,
                "%d tokens, %d windows of %d %s, protocol %s, %d predictions%n",
                windows.textTokens(),
                windows.windows().size(),
                windows.length(),
                windows.begun() ? "with a beginning-of-sequence token" : "without a beginning-of-sequence token",
                windows.protocol().label(),
                report.perplexity().logLoss().count()));
        Divergence divergence = report.divergence();
        if (compared != null && divergence != null && report.reference() != null) {
            lines.append(String.format(
                    Locale.ROOT,
                    "reference %s: PPL = %.4f +/- %.5f%n",
                    compared.name(),
                    report.reference().value(),
                    report.reference().error()));
            lines.append(String.format(
                    Locale.ROOT,
                    "KLD: mean %.6f +/- %.6f, median %.6f, 99%% %.6f, maximum %.6f%n",
                    divergence.mean().mean(),
                    divergence.mean().error(),
                    divergence.median(),
                    divergence.percentile99(),
                    divergence.maximum()));
            lines.append(String.format(
                    Locale.ROOT,
                    "same top token: %.3f%% +/- %.3f%%%n",
                    100 * divergence.sameTop().mean(),
                    100 * divergence.sameTop().error()));
        }
        return lines.append(String.format(
                        Locale.ROOT,
                        "Final estimate: PPL = %.4f +/- %.5f%n",
                        report.perplexity().value(),
                        report.perplexity().error()))
                .toString();
    }

    private static Map<String, @Nullable Object> json(
            LanguageModel opened, @Nullable LanguageModel compared, TextWindows windows, TextReport report) {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        object.put("model", opened.name());
        object.put("device", opened.device());
        object.put("kernels", opened.kernelsName());
        object.put("protocol", windows.protocol().label());
        object.put("context", windows.length());
        object.put("bos", windows.begun());
        object.put("windows", windows.windows().size());
        object.put("text_tokens", windows.textTokens());
        object.put("predictions", report.perplexity().logLoss().count());
        putPerplexity(object, "", report.perplexity());
        Divergence divergence = report.divergence();
        if (compared != null && divergence != null && report.reference() != null) {
            object.put("reference", compared.name());
            putPerplexity(object, "reference_", report.reference());
            putMean(object, "kld_mean", divergence.mean());
            object.put("kld_median", divergence.median());
            object.put("kld_99", divergence.percentile99());
            object.put("kld_max", divergence.maximum());
            putMean(object, "same_top", divergence.sameTop());
        }
        object.put("seconds", report.seconds());
        object.put("tok_s", report.tokensPerSecond());
        return object;
    }

    private static void putPerplexity(Map<String, @Nullable Object> object, String prefix, Perplexity perplexity) {
        object.put(prefix + "perplexity", perplexity.value());
        object.put(prefix + "perplexity_stderr", perplexity.error());
        object.put(prefix + "nll", perplexity.logLoss().mean());
    }

    private static void putMean(Map<String, @Nullable Object> object, String name, MeanAndError mean) {
        object.put(name, mean.mean());
        object.put(name + "_stderr", mean.error());
    }
}
