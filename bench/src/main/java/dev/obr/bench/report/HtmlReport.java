package dev.obr.bench.report;

import dev.obr.bench.report.ReportInput.Run;
import dev.obr.bench.results.Figure;
import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** One page with everything in it: style and pictures, too. It is well-formed XML, needs no script, and asks no network. */
public final class HtmlReport {
    private static final String TITLE = "OBR Runtime: what was measured";

    private final ReportInput input;
    private final @Nullable String noPlots = PlotImage.missing();
    private final Map<String, Palette> palettes = new HashMap<>();
    private final StringBuilder page = new StringBuilder(1 << 16);

    private HtmlReport(ReportInput input) {
        this.input = input;
    }

    /** The page. */
    public static String of(ReportInput input) {
        return new HtmlReport(input).write();
    }

    /** Why the page has no plots; null where it has them. */
    public static @Nullable String noPlots() {
        return PlotImage.missing();
    }

    private String write() {
        line("<!DOCTYPE html>");
        line("<html lang=\"en\"><head><meta charset=\"utf-8\"/>");
        line("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>");
        line(Html.element("title", TITLE));
        line("<style>" + style() + "</style></head><body><main>");
        line(Html.element("h1", TITLE));
        summary();
        input.runs().forEach(this::section);
        line("</main></body></html>");
        return page.toString();
    }

    private void summary() {
        line("<section id=\"summary\">" + Html.element("h2", "Summary"));
        for (Run run : input.runs()) {
            Summary summary = Summary.of(run.results());
            line("<h3><a href=\"#" + Html.id(run.name()) + "\">" + Html.text(summary.what()) + "</a></h3>");
            line(Html.element("p", summary.where()));
            doubt(summary);
            if (!summary.findings().isEmpty()) {
                line("<ul>");
                summary.findings().forEach(finding -> line(Html.element("li", finding)));
                line("</ul>");
            }
        }
        line(Html.element("h3", "How to read the numbers"));
        line(Html.element(
                "p",
                "A number is the median of its repetitions, with the lower and upper quarter below it. ~ marks those whose quarters lie more than a tenth of the median apart."
                        + " Times compare within one run; ratios (x) between runs and machines, too. What was not measured here says so: modelled (by a timing model, without such a device) or published (by others)."
                        + " The machine, the command and the date of each number stand above its table."));
        if (noPlots != null) {
            line("<p class=\"noisy\">" + Html.text(noPlots) + "</p>");
        }
        input.leftOut().forEach(sentence -> line("<p class=\"noisy\">" + Html.text("Left out: " + sentence) + "</p>"));
        line("</section>");
    }

    private void doubt(Summary summary) {
        if (!summary.doubt().isEmpty()) {
            line("<p class=\"noisy\">" + Html.text(summary.doubt()) + "</p>");
        }
    }

    private void section(Run run) {
        ResultFile results = run.results();
        line("<section id=\"" + Html.id(run.name()) + "\">" + Html.element("h2", results.title()));
        line("<table class=\"origin\">");
        String machine = Label.machine(results.machine());
        origin(
                "machine",
                Html.text(
                        Summary.measured(results)
                                ? machine
                                : "nothing was measured; modelled or counted on " + machine));
        origin("software", Html.text(Label.software(results.machine())));
        origin("command", Html.element("code", results.command()));
        origin(
                "started",
                Html.text(results.started()
                        + (results.seconds() > 0
                                ? ", took " + Scale.of("s", results.seconds()).withUnit(results.seconds())
                                : "")));
        origin("file", Html.text(run.name() + ".json (suite " + results.suite() + ")"));
        line("</table>");
        doubt(Summary.of(results));
        if (noPlots == null) {
            plots(PlotChoice.plots(results), palettes.computeIfAbsent(results.suite(), suite -> new Palette()));
        }
        List<Table> pages = Table.of(results).pages();
        pages.forEach(page -> table(run, page, page == pages.getFirst()));
        results.notes().forEach(note -> line(Html.element("p", note)));
        line("</section>");
    }

    private void origin(String what, String markup) {
        line("<tr><th>" + what + "</th><td>" + markup + "</td></tr>");
    }

    private void plots(List<Plot> plots, Palette palette) {
        if (plots.isEmpty()) {
            return;
        }
        PlotImage images = new PlotImage(palette);
        line("<div class=\"plots\">");
        for (Plot plot : plots) {
            String png = Base64.getEncoder().encodeToString(images.png(plot));
            line("<figure>" + Html.element("b", plot.title()) + "<img width=\"" + PlotImage.WIDTH + "\" height=\""
                    + PlotImage.HEIGHT + "\" alt=\"" + Html.text(plot.description())
                    + "\" src=\"data:image/png;base64," + png + "\"/>");
            line("<figcaption>");
            plot.series().forEach(series -> {
                Palette.Style style = palette.of(series);
                line("<span><i style=\"color:" + style.css() + "\">"
                        + style.glyph() + "</i> "
                        + Html.text(series.name()) + "</span>");
            });
            line("</figcaption></figure>");
        }
        line("</div>");
    }

    private void table(Run run, Table table, boolean first) {
        line("<div class=\"wide\"><table class=\"figures\"><thead><tr><th>row</th>");
        List<String> titles = table.titles();
        for (int i = 0; i < titles.size(); i++) {
            line((i < table.keys().size() ? "<th>" : "<th class=\"number\">") + Html.text(titles.get(i)) + "</th>");
        }
        line("</tr></thead><tbody>");
        AtomicInteger number = new AtomicInteger();
        table.rows().forEach(row -> row(run, table, row, number.incrementAndGet(), first));
        line("</tbody></table></div>");
    }

    /** @param first whether links to the row lead here, not to a table of other columns */
    private void row(Run run, Table table, ResultRow row, int number, boolean first) {
        String id = Html.id(run.name()) + "." + number;
        line((first ? "<tr id=\"" + id + "\">" : "<tr>") + "<td><a href=\"#" + id + "\">" + number + "</a></td>");
        table.keys().forEach(key -> line(Html.element("td", row.key().getOrDefault(key, ""))));
        for (Map.Entry<String, Scale> column : table.scales().entrySet()) {
            Figure figure = row.figures().get(column.getKey());
            line("<td class=\"number\">" + (figure == null ? "" : cell(figure, column.getValue())) + "</td>");
        }
        line("</tr>");
    }

    private static String cell(Figure figure, Scale scale) {
        String number = (Label.noisy(figure) ? "~" : "") + scale.text(figure.median());
        String below = figure.count() > 1 ? scale.text(figure.low()) + "\u2013" + scale.text(figure.high()) : "";
        String kind = Label.kind(figure);
        return Html.text(number)
                + (below.isEmpty() ? "" : "<small>" + Html.text(below) + "</small>")
                + (kind.isEmpty() ? "" : "<small class=\"kind\">" + kind + "</small>");
    }

    private void line(String markup) {
        page.append(markup).append('\n');
    }

    private static String style() {
        try (InputStream css = Objects.requireNonNull(HtmlReport.class.getResourceAsStream("report.css"))) {
            return new String(css.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
