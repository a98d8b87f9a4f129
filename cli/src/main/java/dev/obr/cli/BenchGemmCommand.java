package dev.obr.cli;

import dev.obr.bench.MemoryBandwidth;
import dev.obr.bench.gemm.CpuGemm;
import dev.obr.bench.gemm.CudaGemm;
import dev.obr.bench.gemm.GemmProducts;
import dev.obr.bench.gemm.GemmResults;
import dev.obr.bench.gemm.GemmShape;
import dev.obr.bench.gemm.GemmSuite;
import dev.obr.bench.gpu.ProductRow;
import dev.obr.bench.machine.NoiseMeter;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.kernels.cpu.ThreadPlacement;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.cuda.CudaDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code bench gemm}: products of a layer's weights, each kind beside dense floats. */
@Command(
        name = "gemm",
        description =
                "Measure the product of a linear layer with packed weights of each pattern beside dense floats: time, TOPS, bytes of weights.")
final class BenchGemmCommand implements Callable<Integer> {
    private static final int MOST_TOKENS = 1 << 17;
    private static final int MOST_SECONDS = 1_000_000;

    private final Console console;
    private final CommonOptions common;
    private final GemmResults results = new GemmResults();
    private final List<String> notes = new ArrayList<>();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--device",
            paramLabel = "cpu|cuda[:N]",
            defaultValue = "cpu",
            description = "What multiplies. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String device;

    @Option(
            names = "--shapes",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "4096x4096,llama-2-7b,llama-3-8b",
            description =
                    "Output by input channels, such as 11008x4096, or a model whose layers are meant: llama-3.2-1b, llama-2-7b, llama-3-8b. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private List<String> shapes;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            converter = NumberList.Converter.class,
            defaultValue = "1,16,256,2048,16384,65536",
            description = "Tokens that are multiplied at once. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private NumberList tokens;

    @Option(
            names = "--budget",
            paramLabel = "S",
            defaultValue = "120",
            description =
                    "Seconds for all of it; what would take longer is left out, which is said below the table. Default: ${DEFAULT-VALUE}.")
    private int budget;

    @Mixin
    private final ThreadsOption threads = new ThreadsOption();

    @Mixin
    private final PinOption pin = new PinOption();

    @Mixin
    private final BenchOutput output = new BenchOutput();

    BenchGemmCommand(Console console, CommonOptions common) {
        this.console = console;
        this.common = common;
    }

    @Override
    public Integer call() {
        List<GemmShape> wanted = shapes();
        List<Integer> counts = tokens();
        BenchRanges.require(spec, "--budget", budget, 1, MOST_SECONDS);
        GpuDeviceOption gpu = gpu();
        CpuKernelsProvider.Choice cpu =
                CpuKernelsProvider.choose(CpuKernelsProvider.requested(), console.environment());
        note(cpu.reason());
        NoiseMeter meter = NoiseMeter.start();
        String gpuName = gpu == null ? onCpu(cpu.kernels(), wanted, counts, meter) : onGpu(gpu, wanted, counts, meter);
        @Nullable String noise = meter.noise();
        console.println("");
        notes.forEach(console::println);
        if (noise != null) {
            console.println("Doubtful: " + noise + ".");
        }
        if (results.rows().isEmpty()) {
            throw new ObrException(
                    "nothing was measured: give more time with --budget, or smaller --shapes and --tokens");
        }
        output.keep(
                new BenchOutput.Run(
                        "gemm",
                        "Products of a linear layer: packed weights beside dense floats",
                        results.rows(),
                        notes,
                        List.of(),
                        gpuName == null ? "cpu" : gpuName),
                noise,
                console);
        return CommandLineApplication.DONE;
    }

    /** Null is the CPU. */
    private @Nullable GpuDeviceOption gpu() {
        if (device.equals("cpu")) {
            return null;
        }
        GpuDeviceOption option;
        try {
            option = new GpuDeviceOption.Converter().convert(device);
        } catch (TypeConversionException e) {
            option = null;
        }
        if (option == null || !option.timed()) {
            throw new ParameterException(
                    spec.commandLine(), "--device is '" + device + "', but what is timed is cpu, cuda or cuda:N");
        }
        return option;
    }

    private @Nullable String onCpu(CpuKernels kernels, List<GemmShape> wanted, List<Integer> counts, NoiseMeter meter) {
        try (ThreadTeam team = new ThreadTeam(threads.count(), ThreadPlacement.of(pin.pinned()))) {
            notes.add(GemmResults.READ_TIME);
            notes.addAll(pin.notes("cpu"));
            run(
                    new CpuGemm(kernels, team, console.environment()),
                    wanted,
                    counts,
                    meter,
                    count -> count > 1
                            ? OptionalDouble.empty()
                            : OptionalDouble.of(MemoryBandwidth.read(threads.count(), kernels) * 1e9));
        }
        return null;
    }

    private String onGpu(GpuDeviceOption option, List<GemmShape> wanted, List<Integer> counts, NoiseMeter meter) {
        try (CudaDevice gpu = (CudaDevice) option.open();
                CudaGemm gemm = new CudaGemm(gpu)) {
            run(gemm, wanted, counts, meter, count -> OptionalDouble.empty());
            return gpu.name();
        }
    }

    private List<GemmShape> shapes() {
        try {
            return GemmShape.parse(shapes);
        } catch (ObrException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private List<Integer> tokens() {
        List<Integer> counts = tokens.values().stream().sorted().distinct().toList();
        counts.forEach(count -> BenchRanges.require(spec, "--tokens", count, 1, MOST_TOKENS));
        return counts;
    }

    /** @param readRate bytes a second that bound so many tokens */
    private void run(
            GemmProducts.Factory factory,
            List<GemmShape> wanted,
            List<Integer> counts,
            NoiseMeter meter,
            IntFunction<OptionalDouble> readRate) {
        notes.addFirst(GemmResults.LEGEND);
        GemmResults.HEADER.forEach(console::println);
        GemmSuite.Listener listener = new GemmSuite.Listener() {
            @Override
            public void rows(GemmShape shape, int tokens, List<ProductRow> rows) {
                results.add(shape, tokens, rows, readRate.apply(tokens)).forEach(console::println);
                meter.sample();
            }

            @Override
            public void leftOut(String sentence) {
                notes.add(sentence);
            }
        };
        new GemmSuite(factory, () -> System.nanoTime() / 1e9, listener).run(wanted, counts, budget);
        notes.addAll(1, factory.notes()); // before what was left out
    }

    private void note(String line) {
        if (!common.quiet()) {
            console.note(line);
        }
    }
}
