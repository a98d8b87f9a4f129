package dev.obr.cli;

import dev.obr.bench.gate.GateReport;
import dev.obr.bench.results.ResultFile;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code bench gate}: what has become slower between two result files. */
@Command(
        name = "gate",
        description =
                "Compare two result files of one benchmark and fail where it has become slower. Only ratios that were measured within a run are compared, never times: those are another machine's each day.")
final class BenchGateCommand implements Callable<Integer> {
    private static final Pattern PERCENT = Pattern.compile("(\\d{1,2}(?:\\.\\d{1,3})?) ?%?");

    private final Console console;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "BASE.json", description = "The older results.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path before;

    @Parameters(index = "1", paramLabel = "NEW.json", description = "The newer results.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path after;

    @Option(
            names = "--threshold",
            paramLabel = "P%%",
            defaultValue = "10%",
            description =
                    "A ratio that has fallen by more has regressed, unless the repetitions spread as far. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String threshold;

    BenchGateCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        double part = threshold();
        GateReport report = GateReport.of(ResultFile.read(before), ResultFile.read(after), part);
        console.print(report.markdown());
        return report.passes() ? CommandLineApplication.DONE : CommandLineApplication.FAILED;
    }

    private double threshold() {
        Matcher percent = PERCENT.matcher(threshold);
        double part = percent.matches() ? Double.parseDouble(percent.group(1)) / 100 : 0;
        if (!(part > 0)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--threshold is '" + threshold + "', but must be above 0% and below 100%, such as 10%");
        }
        return part;
    }
}
