package dev.obr.cli;

import dev.obr.bench.machine.MachineProbe;
import dev.obr.bench.machine.NoiseMeter;
import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import dev.obr.bench.results.ResultTable;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.kernels.cuda.CudaDevices;
import dev.obr.kernels.cuda.CudaGpu;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What becomes of a benchmark's rows: a table on stdout and, if asked for, a result file. */
final class BenchOutput {
    private static final String CUDA = "cuda:";

    private final Instant started = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    private final long start = System.nanoTime();

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec command;

    @Option(
            names = "--output",
            paramLabel = "FILE",
            description = "Write the results there, too, as JSON: bench gate compares two such files.")
    private @Nullable Path file;

    /**
     * One run.
     *
     * @param shown figures of the table, by name
     * @param device that computed
     */
    record Run(
            String suite, String title, List<ResultRow> rows, List<String> notes, List<String> shown, String device) {}

    void write(Run run, NoiseMeter meter, Console console) {
        @Nullable String noise = meter.noise();
        List<String> lines = new ArrayList<>(run.notes);
        if (noise != null) {
            lines.add("Doubtful: " + noise + ".");
        }
        console.print(ResultTable.markdown(run.rows, run.shown) + "\n" + String.join("\n", lines) + "\n");
        keep(run, noise, console);
    }

    /** The file alone, of a run whose rows were printed as they came; noise is what disturbed it. */
    void keep(Run run, @Nullable String noise, Console console) {
        if (file != null) {
            new ResultFile(
                            ResultFile.FORMAT,
                            run.suite,
                            run.title,
                            "java -jar obr-runtime.jar "
                                    + String.join(
                                            " ",
                                            command.root()
                                                    .commandLine()
                                                    .getParseResult()
                                                    .originalArgs()),
                            started.toString(),
                            (System.nanoTime() - start) / 1e9,
                            MachineProbe.probe(
                                    CpuKernelsProvider.choose(CpuKernelsProvider.requested(), console.environment())
                                            .kernels(),
                                    gpu(run.device),
                                    RootCommand.productVersion()),
                            noise,
                            run.notes,
                            run.rows)
                    .write(file);
        }
    }

    /** An emulated GPU is named as what it is. */
    private static @Nullable String gpu(String device) {
        if (!device.startsWith(CUDA)) {
            return device.equals("cpu") ? null : device;
        }
        int index = Integer.parseInt(device.substring(CUDA.length()));
        return CudaDevices.probe().gpus().stream()
                .filter(gpu -> gpu.index() == index)
                .map(CudaGpu::name)
                .findFirst()
                .orElse(device);
    }
}
