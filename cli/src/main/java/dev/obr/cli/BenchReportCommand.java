package dev.obr.cli;

import dev.obr.bench.report.HtmlReport;
import dev.obr.bench.report.MarkdownReport;
import dev.obr.bench.report.ReportInput;
import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code bench report}: results become a page. */
@Command(
        name = "report",
        description = "Make one page of results: a summary, plots, tables, the machine and command of every number.",
        footer = {"", "  obr-runtime.jar bench report bench/results --output report.html"})
final class BenchReportCommand implements Callable<Integer> {
    private final Console console;

    @Parameters(
            arity = "1..*",
            paramLabel = "RESULTS",
            description = "Folders of results, or result files that bench wrote.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private List<Path> results;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            defaultValue = "report.html",
            description =
                    "The page, as HTML with everything in it: a browser needs no network for it. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path output;

    @Option(
            names = "--markdown",
            paramLabel = "FILE",
            description = "The same without plots as Markdown, for a repository's pages.")
    private @Nullable Path markdown;

    BenchReportCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        ReportInput input = ReportInput.read(results);
        input.leftOut().forEach(sentence -> console.note("left out: " + sentence));
        String noPlots = HtmlReport.noPlots();
        if (noPlots != null) {
            console.note(noPlots);
        }
        write(output, HtmlReport.of(input));
        if (markdown != null) {
            write(markdown, MarkdownReport.of(input));
        }
        return CommandLineApplication.DONE;
    }

    private void write(Path file, String page) {
        try {
            Files.writeString(file, page);
        } catch (IOException e) {
            throw new ObrException("cannot write " + file + " (" + e.getMessage()
                    + "): choose a file in a folder that can be written");
        }
        console.println(file.toString());
    }
}
