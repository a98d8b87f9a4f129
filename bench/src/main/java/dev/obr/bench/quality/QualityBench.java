package dev.obr.bench.quality;

import dev.obr.bench.BenchTest;
import dev.obr.bench.ModelBench;
import dev.obr.bench.results.Figure;
import dev.obr.bench.results.Figure.Kind;
import dev.obr.bench.results.ResultRow;
import dev.obr.compressor.calibration.CalibrationWindows;
import dev.obr.compressor.eval.Bos;
import dev.obr.compressor.eval.EvaluationProgress;
import dev.obr.compressor.eval.Protocol;
import dev.obr.compressor.eval.TextEvaluation;
import dev.obr.compressor.eval.TextReport;
import dev.obr.compressor.eval.TextWindows;
import dev.obr.compressor.eval.zeroshot.LikelihoodScorer;
import dev.obr.compressor.eval.zeroshot.Task;
import dev.obr.compressor.eval.zeroshot.TaskFile;
import dev.obr.compressor.eval.zeroshot.ZeroShot;
import dev.obr.compressor.pipeline.CompressionPlan;
import dev.obr.compressor.pipeline.CompressionProgress;
import dev.obr.compressor.pipeline.ModelCompressor;
import dev.obr.compressor.rotation.Rotation;
import dev.obr.compressor.text.TextFile;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.models.Model;
import dev.obr.models.Quantization.ActivationClip;
import dev.obr.models.WeightSummary;
import dev.obr.models.loader.ModelLoader;
import dev.obr.models.packed.CompanionFiles;
import dev.obr.runtime.LanguageModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Compresses a model in many ways and measures each: bits, bytes, perplexity, divergence from the original, zero-shot tasks, speed. What is done already is not done again. */
public final class QualityBench {
    private static final long STATE_BYTES = 4L << 30;
    private static final Duration WARM_UP = Duration.ofSeconds(1);
    private static final int REPETITIONS = 5;

    private final QualityPlan plan;
    private final QualityWork work;
    private final CpuKernels kernels;
    private final LinearAlgebra algebra;
    private final String version;
    private final Supplier<CompressionProgress> progress;
    private final Consumer<String> notes;

    /**
     * @param version of this program, for the packed models
     * @param progress makes what hears of a compression
     * @param notes hears what is done next
     */
    public QualityBench(
            QualityPlan plan,
            QualityWork work,
            CpuKernels kernels,
            LinearAlgebra algebra,
            String version,
            Supplier<CompressionProgress> progress,
            Consumer<String> notes) {
        this.plan = plan;
        this.work = work;
        this.kernels = kernels;
        this.algebra = algebra;
        this.version = version;
        this.progress = progress;
        this.notes = notes;
    }

    /** The original's row, then each case in each precision. */
    public List<ResultRow> run(List<QualityCase> cases, List<QualityPrecision> precisions) {
        List<ResultRow> rows = new ArrayList<>();
        rows.add(kept("original", this::original));
        for (QualityCase which : cases) {
            double seconds = compress(which);
            for (QualityPrecision precision : precisions) {
                rows.add(kept(which.name() + "-" + precision.label(), () -> measure(which, precision, seconds)));
            }
        }
        return rows;
    }

    private ResultRow kept(String name, Supplier<ResultRow> measurement) {
        Optional<ResultRow> known = work.measured(name, plan.evaluation());
        if (known.isPresent()) {
            return known.get();
        }
        notes.accept("measuring " + name);
        ResultRow row = measurement.get();
        work.measured(name, plan.evaluation(), row);
        return row;
    }

    /** Seconds that it takes, or took when it was done. */
    private double compress(QualityCase which) {
        Optional<Double> known = work.seconds(which);
        if (known.isPresent()) {
            return known.get();
        }
        notes.accept("compressing " + which.name());
        long start = System.nanoTime();
        try (Model model = ModelLoader.open(plan.model())) {
            int[] tokens = model.tokenizer().encode(TextFile.read(plan.calibration()), true);
            CalibrationWindows windows = CalibrationWindows.draw(
                    tokens,
                    plan.calibration().toString(),
                    plan.samples(),
                    plan.seqlen(),
                    model.config().contextLength(),
                    QualityPlan.SEED);
            CompressionPlan compression = new CompressionPlan(
                    which.method().linear(which.pattern(), which.bits()),
                    which.method().target(),
                    which.method().permute(),
                    Rotation.quarot(model.config(), QualityPlan.SEED, false),
                    windows,
                    windows.count() + " x " + windows.length() + " tokens of "
                            + plan.calibration().getFileName(),
                    4,
                    ActivationClip.parse("--a-clip", "search"),
                    4,
                    which.headBits(),
                    QualityPlan.SEED,
                    version,
                    STATE_BYTES);
            new ModelCompressor(kernels, algebra, threads(), progress.get())
                    .compress(
                            model,
                            compression,
                            CompanionFiles.of(plan.model()),
                            new ModelCompressor.Destination(work.model(which), true, true));
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        work.compressed(which, plan.compression(), seconds);
        return seconds;
    }

    private ResultRow original() {
        Map<String, Figure> figures = new LinkedHashMap<>();
        try (Model model = ModelLoader.open(plan.model())) {
            WeightSummary weights = WeightSummary.of(model);
            figures.put("bits", Figure.of("bits", Kind.COUNTED, weights.bitsPerWeight()));
            figures.put("bytes", Figure.of("bytes", Kind.COUNTED, weights.bytes()));
        }
        evaluate(plan.model(), QualityPrecision.FLOATS, false, figures);
        return new ResultRow(key("original", "dense", 16, QualityPrecision.FLOATS), figures);
    }

    private ResultRow measure(QualityCase which, QualityPrecision precision, double seconds) {
        Path path = work.model(which);
        Map<String, Figure> figures = new LinkedHashMap<>();
        try (Model model = ModelLoader.open(path)) {
            OptionalDouble bits = WeightSummary.packedLayersBits(model);
            bits.ifPresent(value -> figures.put("bits", Figure.of("bits", Kind.COUNTED, value)));
        }
        figures.put("bytes", Figure.of("bytes", Kind.COUNTED, fileBytes(path)));
        evaluate(path, precision, true, figures);
        figures.put("compress_time", Figure.of("s", Kind.MEASURED, seconds));
        return new ResultRow(
                key(which.method().label(), which.pattern().label(), which.headBits(), precision), figures);
    }

    private static Map<String, String> key(String method, String pattern, int head, QualityPrecision precision) {
        Map<String, String> key = new LinkedHashMap<>();
        key.put("method", method);
        key.put("pattern", pattern);
        key.put("head", Integer.toString(head));
        key.put("precision", precision.label());
        return key;
    }

    private void evaluate(Path path, QualityPrecision precision, boolean compared, Map<String, Figure> figures) {
        try (LanguageModel model = LanguageModel.open(path, precision.options(plan.threads()));
                LanguageModel original = compared
                        ? LanguageModel.open(plan.model(), QualityPrecision.FLOATS.options(plan.threads()))
                        : null) {
            TextReport report = text(model, original);
            figures.put(
                    "perplexity",
                    Figure.of("", Kind.MEASURED, report.perplexity().value()));
            if (report.divergence() != null) {
                figures.put(
                        "kld",
                        Figure.of(
                                "nats",
                                Kind.MEASURED,
                                report.divergence().mean().mean()));
            }
            if (!plan.tasks().isEmpty() && plan.tasksFolder() != null) {
                figures.put("zero_shot", Figure.of("share", Kind.MEASURED, zeroShot(model, plan.tasksFolder())));
            }
        }
        if (plan.speedTokens() > 0) {
            figures.put("tokens_per_second", speed(path, precision));
        }
    }

    private TextReport text(LanguageModel model, @Nullable LanguageModel original) {
        int length = plan.context() > 0 ? plan.context() : Protocol.OBR.window(model.contextLength());
        int[] tokens = model.tokenizer().encode(TextFile.read(plan.text()), false);
        TextWindows windows = TextWindows.cut(
                Protocol.OBR,
                tokens,
                length,
                Bos.AUTO.token(model),
                plan.windows(),
                plan.text().toString());
        try (TextEvaluation evaluation = new TextEvaluation(model, original, plan.threads())) {
            return evaluation.run(windows, EvaluationProgress.SILENT);
        }
    }

    /** The mean over the tasks of the share of items that are right. */
    private double zeroShot(LanguageModel model, Path folder) {
        double sum = 0;
        for (Task task : plan.tasks()) {
            try (LikelihoodScorer scorer = new LikelihoodScorer(model, Bos.NONE)) {
                sum += ZeroShot.run(
                                task,
                                TaskFile.read(folder, task, plan.items()),
                                scorer::score,
                                EvaluationProgress.SILENT)
                        .headline()
                        .mean();
            }
        }
        return sum / plan.tasks().size();
    }

    private Figure speed(Path path, QualityPrecision precision) {
        BenchTest test = new BenchTest(0, plan.speedTokens(), 0);
        try (ModelBench bench = new ModelBench(
                ModelLoader.open(path),
                path.toString(),
                precision.options(plan.threads()).withContextLength(test.contextLength()))) {
            return Figure.measured(
                    "tokens/s", bench.run(test, WARM_UP, REPETITIONS).samples());
        }
    }

    private int threads() {
        return plan.threads() > 0 ? plan.threads() : Runtime.getRuntime().availableProcessors();
    }

    private static long fileBytes(Path folder) {
        Path file = folder.resolve("model.safetensors");
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new ObrException(
                    "cannot read " + file + " (" + e.getMessage() + "): delete the folder to make it anew");
        }
    }
}
