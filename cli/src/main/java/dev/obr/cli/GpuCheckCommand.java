package dev.obr.cli;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.check.Extent;
import dev.obr.kernels.gpu.check.KernelChecker;
import dev.obr.kernels.gpu.check.KernelChecks;
import dev.obr.kernels.gpu.check.Verdict;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code gpu-check}: whether a GPU computes right with our kernels, and how fast. */
@Command(name = "gpu-check", description = "Check that a GPU computes right with the kernels, and measure how fast.")
final class GpuCheckCommand implements Callable<Integer> {
    private final Console console;

    @Option(
            names = "--device",
            paramLabel = "cuda[:N]|emulator[:sm_xx]",
            converter = GpuDeviceOption.Converter.class,
            defaultValue = "cuda",
            description = "What is checked. The emulator runs the same kernels without a GPU. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private GpuDeviceOption device;

    @Option(names = "--quick", description = "Fewer cases and sizes.")
    private boolean quick;

    GpuCheckCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        try (GpuDevice gpu = device.open()) {
            Extent extent = quick ? Extent.QUICK : device.timed() ? Extent.DEVICE : Extent.USUAL;
            KernelChecker checker = new KernelChecker(gpu, extent);
            console.println(gpu.name() + ", " + gpu.capability());
            List<Verdict> verdicts = checker.run(KernelChecks.all(), this::print);
            return verdicts.stream().allMatch(Verdict::passed) ? CommandLineApplication.DONE : CommandLineApplication.FAILED;
        }
    }

    private void print(Verdict verdict) {
        console.println(String.format(
                Locale.ROOT,
                "%-28s %5d %10d %12.3g  %s%s",
                verdict.kernel(),
                verdict.cases(),
                verdict.values(),
                verdict.largestDifference(),
                verdict.outcome().label(),
                verdict.says().isEmpty() ? "" : ": " + verdict.says()));
    }
}
