package dev.obr.cli;

import dev.obr.bench.machine.MachineProbe;
import dev.obr.bench.machine.NoiseMeter;
import dev.obr.bench.quality.QualityBench;
import dev.obr.bench.quality.QualityCase;
import dev.obr.bench.quality.QualityDocument;
import dev.obr.bench.quality.QualityMethod;
import dev.obr.bench.quality.QualityPlan;
import dev.obr.bench.quality.QualityPrecision;
import dev.obr.bench.quality.QualityTable;
import dev.obr.bench.quality.QualityWork;
import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import dev.obr.compressor.eval.zeroshot.Task;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.kernels.linalg.LinearAlgebras;
import dev.obr.kernels.packed.Pattern;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bench quality}: what compression costs. */
@Command(
        name = "quality",
        description =
                "Compress a model by methods and patterns side by side and measure each: bits, bytes, perplexity, divergence from the original, zero-shot tasks, speed.",
        footer = {
            "",
            "Models and measurements stay in --work: a run that was stopped goes on there, and one that is repeated takes what is there."
        })
final class BenchQualityCommand implements Callable<Integer> {
    private static final int MOST = 1 << 20;

    private final Console console;
    private final CommonOptions common;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private BenchQualityOptions options;

    @Option(
            names = "--work",
            paramLabel = "DIR",
            defaultValue = "bench/target/quality",
            description = "Where compressed models and measurements are kept. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path work;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Write the results there, too, as JSON for bench report.")
    private @Nullable Path output;

    @Option(
            names = "--document",
            paramLabel = "FILE",
            description = "Renew the table of a Markdown page, between <!-- quality: NAME --> and <!-- end -->.")
    private @Nullable Path document;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            defaultValue = "quality",
            description = "Which table of the page. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String name;

    BenchQualityCommand(Console console, CommonOptions common) {
        this.console = console;
        this.common = common;
    }

    @Override
    public Integer call() {
        QualityPlan plan = plan();
        List<QualityPrecision> precisions = parsed(options.precisions, QualityPrecision::parse);
        List<QualityCase> cases = QualityCase.all(
                parsed(options.methods, QualityMethod::parse),
                parsed(options.patterns, Pattern::parse),
                options.bits,
                options.headBits);
        CpuKernels kernels = CpuKernelsProvider.choose(CpuKernelsProvider.requested(), console.environment())
                .kernels();
        Instant started = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        long start = System.nanoTime();
        NoiseMeter meter = NoiseMeter.start();
        List<ResultRow> rows = new QualityBench(
                        plan,
                        new QualityWork(work, plan),
                        kernels,
                        LinearAlgebras.choose(console.environment()).algebra(),
                        RootCommand.productVersion(),
                        () -> new CompressionNotes(console, common.quiet()),
                        this::note)
                .run(cases, precisions);
        meter.sample();
        ResultFile results = new ResultFile(
                ResultFile.FORMAT,
                "quality",
                "Methods and patterns on " + plan.model().getFileName(),
                Notes.command(spec),
                started.toString(),
                (System.nanoTime() - start) / 1e9,
                MachineProbe.probe(kernels, null, RootCommand.productVersion()),
                meter.noise(),
                List.of(protocol(plan)),
                rows);
        console.print(QualityTable.of(results));
        if (output != null) {
            results.write(output);
        }
        if (document != null) {
            QualityDocument.update(document, name, results);
        }
        return CommandLineApplication.DONE;
    }

    private QualityPlan plan() {
        options.require("--samples", options.samples, 1, MOST, spec);
        options.require("--seqlen", options.seqlen, 1, MOST, spec);
        options.require("--context", options.context, 0, MOST, spec);
        options.require("--windows", options.windows, 0, MOST, spec);
        options.require("--items", options.items, 0, MOST, spec);
        options.require("--speed-tokens", options.speedTokens, 0, MOST, spec);
        if (!options.tasks.isEmpty() && options.tasksFolder == null) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--tasks needs --tasks-dir DIR, the folder that holds TASK.jsonl for each task");
        }
        options.headBits.forEach(bits -> {
            if (bits != 4 && bits != 8 && bits != 16) {
                throw new ParameterException(spec.commandLine(), "--head-bits is " + bits + ", but must be 4, 8 or 16");
            }
        });
        return new QualityPlan(
                options.model,
                options.calibration,
                options.samples,
                options.seqlen,
                options.text,
                options.context,
                options.windows,
                parsed(options.tasks, Task::named),
                options.tasksFolder,
                options.items,
                options.speedTokens,
                options.threads.count());
    }

    private <T> List<T> parsed(List<String> texts, Function<String, T> parser) {
        try {
            return texts.stream().map(String::strip).map(parser).toList();
        } catch (ObrException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private static String protocol(QualityPlan plan) {
        return "Calibrated on " + plan.samples() + " x " + plan.seqlen() + " tokens of "
                + plan.calibration().getFileName() + ", evaluated on "
                + (plan.windows() == 0 ? "all" : plan.windows()) + " windows of "
                + plan.text().getFileName()
                + ", protocol obr. Quality depends on these alone, not on the machine; measurements that were there already are not repeated.";
    }

    private void note(String sentence) {
        if (!common.quiet()) {
            console.note(sentence);
        }
    }
}
