package dev.obr.cli;

import dev.obr.compressor.eval.Bos;
import dev.obr.compressor.eval.EvaluationProgress;
import dev.obr.compressor.eval.Protocol;
import dev.obr.compressor.eval.TextEvaluation;
import dev.obr.compressor.eval.TextWindows;
import dev.obr.compressor.eval.zeroshot.LikelihoodScorer;
import dev.obr.compressor.eval.zeroshot.Task;
import dev.obr.compressor.eval.zeroshot.TaskFile;
import dev.obr.compressor.eval.zeroshot.TaskItem;
import dev.obr.compressor.eval.zeroshot.ZeroShot;
import dev.obr.compressor.text.TextFile;
import dev.obr.kernels.ObrException;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.transformer.Precision.KvScheme;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
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
                    "Whether a beginning-of-sequence token comes first; auto: in each window if the model's tokenizer adds one, and not in tasks. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Bos bos;

    @Option(
            names = {"--reference", "--kld-reference"},
            paramLabel = "MODEL",
            description = "Compare the predictions with those of this model, such as the one before compression.")
    private @Nullable ModelArgument reference;

    @Option(
            names = "--tasks",
            paramLabel = "LIST",
            split = ",",
            description =
                    "Run these tasks as lm-evaluation-harness does: piqa, boolq, hellaswag, arc_easy, arc_challenge, winogrande, lambada_openai.")
    private List<String> tasks = List.of();

    @Option(names = "--tasks-dir", paramLabel = "DIR", description = "The folder that holds TASK.jsonl for each task.")
    private @Nullable Path tasksDir;

    @Option(
            names = {"--limit", "--windows"},
            paramLabel = "N",
            defaultValue = "0",
            description = "At most N windows of the text, and N items of each task; 0 is all.")
    private int limit;

    @Option(
            names = "--fake-quant",
            description =
                    "Multiply the floats that codes stand for, as published evaluations do, instead of the codes.")
    private boolean fakeQuant;

    @Option(
            names = "--kv-scheme",
            paramLabel = "head|quarot",
            defaultValue = "head",
            description =
                    "--fake-quant: keys and values with an asymmetric scale per token and head, as the cache has them, or with a symmetric one per token, as QuaRot's evaluation. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private KvScheme kvScheme;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    EvalCommand(Console console, CommonOptions common) {
        this.console = console;
        this.common = common;
    }

    @Override
    public Integer call() {
        checkOptions();
        String content = text == null ? null : TextFile.read(text);
        Map<Task, List<TaskItem>> items = items();
        try (LanguageModel opened = model.open(fakeQuant, kvScheme)) {
            if (!common.quiet()) {
                console.note(Notes.model(opened));
            }
            EvaluationReport report = new EvaluationReport(opened);
            runTasks(opened, items, report);
            if (content != null) {
                measureText(opened, content, report);
            }
            console.print(json ? JsonOutput.line(report.json()) + "\n" : report.lines());
        }
        return CommandLineApplication.DONE;
    }

    private void checkOptions() {
        if (text == null && tasks.isEmpty()) {
            throw wrong("Nothing to measure: give --text FILE or --tasks LIST");
        }
        if (text == null && reference != null) {
            throw wrong("--reference compares two models on a text: give --text FILE, too");
        }
        if (!tasks.isEmpty() && tasksDir == null) {
            throw wrong("--tasks needs --tasks-dir DIR, the folder that holds TASK.jsonl for each task");
        }
        if (limit < 0) {
            throw wrong("--limit is " + limit + ", but must be 0 (all) or more");
        }
    }

    private ParameterException wrong(String sentence) {
        return new ParameterException(spec.commandLine(), sentence);
    }

    private Map<Task, List<TaskItem>> items() {
        Map<Task, List<TaskItem>> items = new LinkedHashMap<>();
        for (String name : tasks) {
            if (tasksDir != null) {
                Task task = task(name.strip());
                items.put(task, TaskFile.read(tasksDir, task, limit));
            }
        }
        return items;
    }

    private Task task(String name) {
        try {
            return Task.named(name);
        } catch (ObrException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private void runTasks(LanguageModel opened, Map<Task, List<TaskItem>> items, EvaluationReport report) {
        if (items.isEmpty()) {
            return;
        }
        int begin = bos == Bos.ON ? bos.token(opened) : Bos.NONE;
        try (LikelihoodScorer scorer = new LikelihoodScorer(opened, begin)) {
            items.forEach((task, list) -> report.add(ZeroShot.run(task, list, scorer::score, progress(task.label()))));
        }
    }

    private void measureText(LanguageModel opened, String content, EvaluationReport report) {
        int length = model.context() > 0 ? model.context() : protocol.window(opened.contextLength());
        int[] tokens = opened.tokenizer().encode(content, false);
        TextWindows windows = TextWindows.cut(protocol, tokens, length, bos.token(opened), limit, String.valueOf(text));
        try (LanguageModel compared = reference == null ? null : model.open(reference);
                TextEvaluation evaluation = new TextEvaluation(opened, compared, model.threads())) {
            report.add(windows, evaluation.run(windows, progress("window")), compared == null ? null : compared.name());
        }
    }

    private EvaluationProgress progress(String unit) {
        return common.quiet() ? EvaluationProgress.SILENT : new ProgressNotes(console, unit);
    }
}
