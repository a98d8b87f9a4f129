package dev.obr.cli;

import dev.obr.bench.ModelShape;
import dev.obr.bench.machine.MachineProbe;
import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import dev.obr.bench.roofline.CompressionTimes;
import dev.obr.bench.roofline.Gpu;
import dev.obr.bench.roofline.Roofline;
import dev.obr.bench.roofline.RooflineFormat;
import dev.obr.bench.roofline.RooflineReport;
import dev.obr.bench.roofline.RooflineResults;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.models.ModelConfig;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bench roofline}: how long GPU kernels would take. */
@Command(
        name = "roofline",
        description =
                "Model how long the GPU kernels would take: what their thread blocks do is counted by the PTX emulator, how fast a GPU does it is a table of peaks. Nothing is measured.")
final class BenchRooflineCommand implements Callable<Integer> {
    private static final int MOST_MODELLED = 1 << 20; // tokens, positions
    private static final String NOTHING_MEASURED =
            "Modelled from counted instructions and peak rates: nothing ran on a GPU. docs/performance.md says how far the model lies from published figures.";

    private final Console console;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--gpu",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "a100,h100,rtx3090,rtx4090",
            description = "a100, h100, h200, rtx3090 or rtx4090. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private List<String> gpus;

    @Option(
            names = "--shape",
            paramLabel = "NAME",
            defaultValue = "llama-2-7b",
            description = "llama-3.2-1b, llama-2-7b or llama-3-8b. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String shape;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            converter = NumberList.Converter.class,
            defaultValue = "1,16,256,2048,65536",
            description =
                    "Tokens of a step: fewer than the context are of as many sequences, more are prompts of that length. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private NumberList tokens;

    @Option(
            names = "--context",
            paramLabel = "N",
            defaultValue = "2048",
            description = "Positions of each sequence. Default: ${DEFAULT-VALUE}.")
    private int context;

    @Option(names = "--details", description = "A row for each launch; JSON always has them.")
    private boolean details;

    @Option(
            names = "--compress",
            description =
                    "Model how long compressing Llama-2 takes on an A100 and an H100 instead, next to what the paper measured.")
    private boolean compress;

    @Option(
            names = "--format",
            paramLabel = "text|json|markdown",
            defaultValue = "text",
            description = "How it is written. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private RooflineFormat format;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Write the results there, too, as JSON for bench report.")
    private @Nullable Path output;

    BenchRooflineCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        Instant started = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        long start = System.nanoTime();
        if (compress) {
            console.print(CompressionTimes.write(format));
            write(
                    RooflineResults.COMPRESSION_SUITE,
                    "Compressing Llama-2 on a GPU, modelled, beside the paper's times",
                    started,
                    start,
                    RooflineResults.compression());
            return CommandLineApplication.DONE;
        }
        RooflineReport report = report();
        console.print(report.write(format, details));
        write(
                RooflineResults.SUITE,
                "GPU kernels on a layer of " + shape + " with " + context + " positions, modelled",
                started,
                start,
                RooflineResults.steps(report));
        return CommandLineApplication.DONE;
    }

    private RooflineReport report() {
        for (int count : tokens.values()) {
            if (count < 1 || count > MOST_MODELLED) {
                throw new ParameterException(
                        spec.commandLine(), "--tokens is " + count + ", but must be from 1 to " + MOST_MODELLED);
            }
        }
        if (context < 1 || context > MOST_MODELLED) {
            throw new ParameterException(
                    spec.commandLine(), "--context is " + context + ", but must be from 1 to " + MOST_MODELLED);
        }
        List<Gpu> machines;
        ModelConfig model;
        try {
            machines = gpus.stream().map(Gpu::of).distinct().toList();
            model = ModelShape.of(shape).config();
        } catch (ObrException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
        return RooflineReport.of(new Roofline(), machines, shape, model, tokens.values(), context);
    }

    private void write(String suite, String title, Instant started, long start, List<ResultRow> rows) {
        if (output != null) {
            new ResultFile(
                            ResultFile.FORMAT,
                            suite,
                            title,
                            Notes.command(spec),
                            started.toString(),
                            (System.nanoTime() - start) / 1e9,
                            MachineProbe.probe(
                                    CpuKernelsProvider.choose(CpuKernelsProvider.requested(), console.environment())
                                            .kernels(),
                                    null,
                                    RootCommand.productVersion()),
                            null,
                            List.of(NOTHING_MEASURED),
                            rows)
                    .write(output);
        }
    }
}
