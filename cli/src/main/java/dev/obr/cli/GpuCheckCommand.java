package dev.obr.cli;

import dev.obr.bench.gpu.EventStopwatch;
import dev.obr.bench.gpu.Interleaved;
import dev.obr.bench.gpu.ProductBench;
import dev.obr.bench.gpu.ProductModel;
import dev.obr.bench.gpu.ProductRow;
import dev.obr.bench.gpu.ProductTable;
import dev.obr.bench.gpu.Timed;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cuda.CudaDevice;
import dev.obr.kernels.cuda.CudaHalfGemm;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.check.Extent;
import dev.obr.kernels.gpu.check.KernelCheck;
import dev.obr.kernels.gpu.check.KernelChecker;
import dev.obr.kernels.gpu.check.KernelChecks;
import dev.obr.kernels.gpu.check.Verdict;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code gpu-check}: whether a GPU computes right with our kernels, and how fast. */
@Command(
        name = "gpu-check",
        description = "Check that a GPU computes right with the kernels, and measure how fast they are on it.",
        footer = {
            "",
            "Ends with 1 where a kernel computes something else than its scalar twin. On a GPU, products of a layer [4096, 4096] are timed afterwards."
        })
final class GpuCheckCommand implements Callable<Integer> {
    private static final int EXTENT = 4096; // of the layer that is timed

    /** What part of the free memory allocations get at least: they come in pages, and the driver takes some. */
    private static final double USABLE = 0.95;

    private static final List<Integer> TOKENS =
            List.of(1, 4, 16, 64, 256, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072);
    private static final List<Integer> FEW_TOKENS = List.of(1, 16, 256, 2048, 65536);

    private final Console console;
    private final List<KernelCheck> all;
    private final GpuCheckReport report;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--device",
            paramLabel = "cuda[:N]|emulator[:sm_xx]",
            converter = GpuDeviceOption.Converter.class,
            defaultValue = "cuda",
            description =
                    "What is checked. The emulator runs the same kernels without a GPU. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private GpuDeviceOption device;

    @Option(names = "--quick", description = "Fewer cases and sizes.")
    private boolean quick;

    @Option(
            names = "--only",
            paramLabel = "KERNEL",
            split = ",",
            description = "Check these kernels alone and time nothing, where one takes the GPU with it.")
    private List<String> only = new ArrayList<>();

    @Option(
            names = "--output",
            paramLabel = "FOLDER",
            description = "Write the results there, too: DATE-gpu-check-GPU.md and .json.")
    private @Nullable Path output;

    GpuCheckCommand(Console console) {
        this(console, KernelChecks.all());
    }

    /** @param all of the kernels' checks */
    GpuCheckCommand(Console console, List<KernelCheck> all) {
        this.console = console;
        this.all = all;
        this.report = new GpuCheckReport(console);
    }

    @Override
    public Integer call() {
        List<KernelCheck> checks = checks();
        Result result = Result.NONE;
        try (GpuDevice gpu = device.open()) {
            try {
                result = check(gpu, checks);
            } finally {
                write(gpu.name());
            }
        } catch (ObrException e) {
            if (result != Result.LOST) { // which cannot be closed any more; the report says why
                throw e;
            }
        }
        return result == Result.PASSED ? CommandLineApplication.DONE : CommandLineApplication.FAILED;
    }

    /** How it ended. */
    private enum Result {
        NONE,
        PASSED,
        NOT_PASSED,
        LOST
    }

    private void write(String gpu) {
        if (output != null) {
            console.note("written to " + report.write(output, gpu) + " and .json beside it");
        }
    }

    private List<KernelCheck> checks() {
        List<String> names = all.stream().map(KernelCheck::name).toList();
        for (String kernel : only) {
            if (!names.contains(kernel)) {
                throw new ParameterException(
                        spec.commandLine(), "'" + kernel + "' is no kernel; these are: " + String.join(", ", names));
            }
        }
        return all.stream()
                .filter(check -> only.isEmpty() || only.contains(check.name()))
                .toList();
    }

    /** Both parts; what stops the second is a line of the report. */
    private Result check(GpuDevice gpu, List<KernelCheck> checks) {
        report.heading(String.format(
                Locale.ROOT,
                "%s: %s, %d multiprocessors, %.1f GiB, %s",
                gpu.name(),
                gpu.capability(),
                gpu.multiprocessors(),
                gpu.totalBytes() / 0x1p30,
                device.driver()));
        Extent extent = quick ? Extent.QUICK : device.timed() ? Extent.DEVICE : Extent.USUAL;
        KernelChecker checker = new KernelChecker(gpu, extent);
        report.kernelsHeader();
        List<Verdict> verdicts = checker.run(checks, report::kernel);
        report.line("");
        boolean passed = verdicts.stream().allMatch(Verdict::passed);
        report.value("passed", passed);
        report.line(conclusion(verdicts, checker.lost()));
        Result result = checker.lost() ? Result.LOST : passed ? Result.PASSED : Result.NOT_PASSED;
        if (checker.lost() || !only.isEmpty()) {
            return result;
        }
        report.line("");
        if (!device.timed()) {
            report.line("Nothing is timed: an emulator's time says nothing about a GPU's. `bench roofline` models it.");
            return result;
        }
        try {
            measure(gpu);
            return result;
        } catch (ObrException e) {
            report.line("");
            report.line("Measuring ended: " + e.getMessage());
            return Result.NOT_PASSED;
        }
    }

    private static String conclusion(List<Verdict> verdicts, boolean lost) {
        String wrong = verdicts.stream()
                .filter(verdict -> !verdict.passed() && verdict.outcome() != Verdict.Outcome.NOT_REACHED)
                .map(Verdict::kernel)
                .collect(Collectors.joining(", "));
        if (lost) {
            return "The GPU was lost with " + wrong
                    + ": its driver refuses this process from there on. Run again with --only to check the others alone.";
        }
        return wrong.isEmpty()
                ? "All kernels compute what their scalar twins do."
                : "NOT RIGHT: " + wrong + ". Do not use this GPU with these kernels, and please report this file.";
    }

    private void measure(GpuDevice gpu) {
        long needed = ProductBench.weightBytes(gpu, EXTENT, EXTENT);
        if (needed > gpu.freeBytes() * USABLE) {
            report.line("Nothing is timed: copies of the weights take " + gigabytes(needed)
                    + " of the GPU's memory, and " + gigabytes(gpu.freeBytes()) + " are free.");
            return;
        }
        ProductModel model = ProductModel.of(gpu.name()).orElse(ProductModel.NONE);
        ProductTable table = new ProductTable(model);
        List<Map<String, Object>> products = new ArrayList<>();
        report.value("products", products);
        report.line(
                "Products of a layer [4096, 4096], medians of repetitions in turns; half of all times lie within the spread. TOPS count the operations of dense weights. "
                        + "Weights are random and read from memory: copies take turns, so that none is still in L2; activations and results are not. "
                        + "Modelled and published times are not measured here"
                        + (model == ProductModel.NONE ? ", and there is no model of this GPU." : "."));
        report.line("");
        List<String> skipped = new ArrayList<>();
        try (CudaHalfGemm cublas = cublas(gpu);
                ProductBench bench = new ProductBench(gpu, cublas == null ? null : cublas::multiply, EXTENT, EXTENT);
                EventStopwatch stopwatch = new EventStopwatch(gpu)) {
            ProductTable.HEADER.forEach(report::line);
            Interleaved<Timed> protocol = new Interleaved<>(stopwatch, quick ? 0.2 : 1, quick ? 7 : 21);
            for (int tokens : quick ? FEW_TOKENS : TOKENS) {
                long activations = bench.activationBytes(tokens);
                if (activations > gpu.freeBytes() * USABLE) {
                    skipped.add(tokens + " tokens are left out: they take " + gigabytes(activations)
                            + " of memory, and " + gigabytes(gpu.freeBytes()) + " are free.");
                    continue;
                }
                List<ProductRow> rows = bench.measure(protocol, tokens);
                table.lines(rows).forEach(report::line);
                products.addAll(table.values(rows));
            }
        }
        if (!skipped.isEmpty()) {
            report.line("");
            skipped.forEach(report::line);
        }
        report.value("left_out", skipped);
    }

    /** cuBLAS, or a line that says why it is not compared with. */
    private @Nullable CudaHalfGemm cublas(GpuDevice gpu) {
        try {
            return gpu instanceof CudaDevice cuda ? new CudaHalfGemm(cuda) : null;
        } catch (ObrException e) {
            report.line("cuBLAS is not timed beside our own product of half floats: " + e.getMessage());
            report.line("");
            return null;
        }
    }

    private static String gigabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
    }
}
