package dev.obr.cli;

import dev.obr.kernels.ObrException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The verbs, and what becomes of their errors: one sentence on stderr and an exit code. */
final class CommandLineApplication {
    static final int DONE = 0;
    static final int FAILED = 1;
    static final int WRONG_USAGE = 2;
    /** As a shell reports a program that wrote to a pipe whose reader had left. */
    static final int READER_LEFT = 141;

    private final Console console;
    private final Interruption interruption;
    private final CommonOptions common = new CommonOptions();
    private final EnvironmentDefaults defaults;

    CommandLineApplication(Console console, Interruption interruption) {
        this.console = console;
        this.interruption = interruption;
        this.defaults = new EnvironmentDefaults(console.environment());
    }

    /** Runs the verb that {@code arguments} begin with; returns the exit code. */
    int run(List<String> arguments) {
        try {
            return commandLine(arguments).execute(arguments.toArray(String[]::new));
        } catch (Throwable thrown) {
            return failed(thrown);
        }
    }

    /** Knows the verb that {@code arguments} begin with, or all of them: reading the annotations of a verb that is not called takes 10 ms each. */
    private CommandLine commandLine(List<String> arguments) {
        CommandLine commandLine = new CommandLine(new RootCommand(common));
        Map<String, Supplier<Callable<Integer>>> verbs = verbs();
        String first = arguments.isEmpty() ? "" : arguments.getFirst();
        verbs.forEach((name, verb) -> {
            if (first.equals(name) || !verbs.containsKey(first) || first.equals("help")) {
                commandLine.addSubcommand(name, verb.get());
            }
        });
        CommandLine bench = commandLine.getSubcommands().get("bench");
        if (bench != null) {
            benchmarks().forEach((name, benchmark) -> bench.addSubcommand(name, benchmark.get()));
        }
        return commandLine
                .setDefaultValueProvider(defaults)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(true)
                .setOut(console.writer())
                .setErr(console.errorWriter())
                .registerConverter(Path.class, CommandLineApplication::path)
                .registerConverter(ModelArgument.class, text -> new ModelArgument(path(text), console.environment()))
                .setParameterExceptionHandler((e, args) -> wrongUsage(e))
                .setExecutionExceptionHandler((e, command, result) -> failed(e));
    }

    private Map<String, Supplier<Callable<Integer>>> verbs() {
        Map<String, Supplier<Callable<Integer>>> verbs = new LinkedHashMap<>();
        verbs.put("generate", () -> new GenerateCommand(console, common, interruption));
        verbs.put("chat", () -> new ChatCommand(console, common, interruption));
        verbs.put("serve", () -> new ServeCommand(console, common, interruption));
        verbs.put("pull", () -> new PullCommand(console, common));
        verbs.put("tokenize", () -> new TokenizeCommand(console));
        verbs.put("inspect", () -> new InspectCommand(console));
        verbs.put("devices", () -> new DevicesCommand(console));
        verbs.put("compress", () -> new CompressCommand(console, common));
        verbs.put("import-obr", () -> new ImportCommand(console, common));
        verbs.put("eval", () -> new EvalCommand(console, common));
        verbs.put("layer", () -> new LayerCommand(console, common));
        verbs.put("bench", () -> new BenchCommand(console, common));
        verbs.put("gpu-check", () -> new GpuCheckCommand(console));
        verbs.put("emulate", () -> new EmulateCommand(console, common));
        verbs.put("make-model", () -> new MakeModelCommand(console, common));
        verbs.put("help", () -> new HelpCommand(console));
        return verbs;
    }

    /** What {@code bench} does beside measuring models. */
    private Map<String, Supplier<Callable<Integer>>> benchmarks() {
        Map<String, Supplier<Callable<Integer>>> benchmarks = new LinkedHashMap<>();
        benchmarks.put("e2e", () -> new BenchE2eCommand(console, common));
        benchmarks.put("compare", () -> new BenchCompareCommand(console, common));
        benchmarks.put("gate", () -> new BenchGateCommand(console));
        benchmarks.put("gemm", () -> new BenchGemmCommand(console, common));
        benchmarks.put("roofline", () -> new BenchRooflineCommand(console));
        benchmarks.put("quality", () -> new BenchQualityCommand(console, common));
        benchmarks.put("report", () -> new BenchReportCommand(console));
        return benchmarks;
    }

    private int failed(Throwable thrown) {
        if (thrown instanceof Console.OutputFailed output && output.readerLeft()) {
            return READER_LEFT;
        }
        console.note("error: " + sentence(thrown));
        if (common.verbose()) {
            console.trace(thrown);
        }
        return FAILED;
    }

    private String sentence(Throwable thrown) {
        if (thrown instanceof ObrException) {
            return String.valueOf(thrown.getMessage());
        }
        if (thrown instanceof Console.OutputFailed) {
            return "stdout cannot be written: " + thrown.getMessage();
        }
        if (thrown instanceof OutOfMemoryError) {
            return "not enough memory (" + thrown.getMessage()
                    + "); use a shorter context (--context N) or a smaller model, or raise the heap: java -Xmx8g -jar ...";
        }
        return "internal error: " + thrown
                + (common.verbose() ? "" : "; run again with --verbose for the place it came from");
    }

    private int wrongUsage(ParameterException e) {
        String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("wrong usage");
        if (e.getArgSpec() instanceof OptionSpec option
                && defaults.sets(option)
                && !(e instanceof UnmatchedArgumentException)) {
            message += " (from the environment variable " + EnvironmentDefaults.variable(option) + ")";
        }
        console.note("error: " + message);
        console.note("See '" + e.getCommandLine().getCommandSpec().qualifiedName() + " --help'.");
        return WRONG_USAGE;
    }

    private static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new TypeConversionException("'" + text + "' is no path that this system can name in its locale ("
                    + e.getReason() + "); set LC_ALL=C.UTF-8");
        }
    }
}
