package dev.obr.bench.report;

import dev.obr.bench.report.ReportInput.Run;
import dev.obr.bench.results.Figure;
import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The same as {@link HtmlReport} without pictures, for a repository's pages. */
public final class MarkdownReport {
    private MarkdownReport() {}

    /** The page. */
    public static String of(ReportInput input) {
        StringBuilder page = new StringBuilder("# What was measured\n\n");
        page.append(
                "Medians, with the lower and upper quarter of the repetitions; ~ marks those that lie more than a tenth of the median apart. Times compare within one run, ratios (x) between"
                        + " machines, too. What was modelled or published, not measured here, says so.\n\n");
        input.runs().forEach(run -> section(page, run));
        input.leftOut()
                .forEach(sentence ->
                        page.append("Left out: ").append(text(sentence)).append("\n\n"));
        return page.toString().stripTrailing() + "\n";
    }

    private static void section(StringBuilder page, Run run) {
        ResultFile results = run.results();
        Summary summary = Summary.of(results);
        page.append("## ").append(text(results.title())).append("\n\n");
        page.append(text(summary.where()))
                .append(' ')
                .append(text(Label.software(results.machine())))
                .append(".\n");
        page.append("Started ")
                .append(text(results.started()))
                .append(" by `")
                .append(results.command().replace('`', '\'').replaceAll("\\s+", " "))
                .append("`.\n\n");
        if (!summary.doubt().isEmpty()) {
            page.append("**").append(text(summary.doubt())).append("**\n\n");
        }
        summary.findings()
                .forEach(finding -> page.append("- ").append(text(finding)).append('\n'));
        page.append(summary.findings().isEmpty() ? "" : "\n");
        Table.of(results).pages().forEach(table -> table(page, table));
        results.notes().forEach(note -> page.append(text(note)).append("\n\n"));
    }

    private static void table(StringBuilder page, Table table) {
        line(page, table.titles().stream().map(MarkdownReport::title).toList());
        page.append("|---".repeat(table.keys().size()))
                .append("|--:".repeat(table.scales().size()))
                .append("|\n");
        for (ResultRow row : table.rows()) {
            List<String> cells = new ArrayList<>();
            table.keys().forEach(key -> cells.add(text(row.key().getOrDefault(key, ""))));
            for (Map.Entry<String, Scale> column : table.scales().entrySet()) {
                Figure figure = row.figures().get(column.getKey());
                cells.add(figure == null ? "" : cell(figure, column.getValue()));
            }
            line(page, cells);
        }
        page.append('\n');
    }

    private static void line(StringBuilder page, List<String> cells) {
        page.append("| ").append(String.join(" | ", cells)).append(" |\n");
    }

    private static String cell(Figure figure, Scale scale) {
        String range =
                figure.count() > 1 ? " (" + scale.text(figure.low()) + "-" + scale.text(figure.high()) + ")" : "";
        String kind = Label.kind(figure);
        return (Label.noisy(figure) ? "~" : "")
                + scale.text(figure.median())
                + range
                + (kind.isEmpty() ? "" : " " + kind);
    }

    /** Units stand in brackets, which only a link would need. */
    private static String title(String title) {
        return text(title).replace("\\[", "[").replace("\\]", "]");
    }

    /** Nothing in it ends a cell or a line, or is read as markup. */
    static String text(String text) {
        return text.replaceAll("[\\s\\p{Cntrl}]+", " ")
                .replaceAll("([\\\\`*_\\[\\]|#])", "\\\\$1")
                .replace("<", "&lt;")
                .replace(">", "&gt;");
    }
}
