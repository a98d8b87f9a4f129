package dev.obr.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.bench.report.ReportInput.Run;
import dev.obr.bench.results.Figure;
import dev.obr.bench.results.Figure.Kind;
import dev.obr.bench.results.ResultRow;
import java.io.ByteArrayInputStream;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

final class ReportPageTest {
    private static final String HOSTILE = "</td><script>alert(\"1\")</script> & 'x' | `y` \u0000\u001b[31m \ud800 _z_";

    private static Document parse(String html) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(html)));
    }

    private static ReportInput input(Run... runs) {
        return new ReportInput(List.of(runs), List.of());
    }

    private static List<Element> elements(Document page, String name) {
        List<Element> elements = new ArrayList<>();
        NodeList found = page.getElementsByTagName(name);
        for (int i = 0; i < found.getLength(); i++) {
            elements.add((Element) found.item(i));
        }
        return elements;
    }

    private static Element row(Document page, String id) {
        return elements(page, "tr").stream()
                .filter(row -> row.getAttribute("id").equals(id))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void everyFigureOfEveryRowIsThereUnderItsUnitWithMachineAndCommand() throws Exception {
        Document page = parse(HtmlReport.of(input(MadeUpRuns.gemm(), MadeUpRuns.quality(), MadeUpRuns.modelled())));
        assertThat(row(page, "2026-01-02-gemm.1").getTextContent())
                .containsSubsequence("64x64", "1", "F16", "2.00", "1.98\u20132.02", "0.500", "8.192", "1");
        assertThat(row(page, "2026-01-03-quality.2").getTextContent()).contains("obr-plus", "4:8p", "2.600", "47.93");
        assertThat(elements(page, "th").stream().map(Element::getTextContent))
                .contains("time [ms]", "TOPS", "weight bytes [kB]", "speedup [x]", "perplexity", "bits");
        assertThat(page.getDocumentElement().getTextContent())
                .contains(
                        "a processor of 1999 (AVX2), 2 cores, 24 GiB",
                        "java -jar obr-runtime.jar bench gemm",
                        "2026-01-02T03:04:05Z, took 61.5 s",
                        "A note below.");
    }

    @Test
    void aPageOpensWithWhoWinsAndByHowMuch() throws Exception {
        Document page = parse(HtmlReport.of(input(MadeUpRuns.gemm(), MadeUpRuns.quality())));
        Element summary = elements(page, "section").getFirst();
        assertThat(summary.getAttribute("id")).isEqualTo("summary");
        assertThat(summary.getTextContent())
                .contains(
                        "Of gemm",
                        "medians of 1 to 7 repetitions; shape 64x64, 128x64; tokens 1, 16, 256.",
                        "Lowest time in 6 cases: 4:8p in 5 (2.00x before the next); F16 in 1 (2.00x before the next).",
                        "4:8p 2.00x (0.500x to 2.00x); F16 1.00x.",
                        "Lowest perplexity: obr-plus (1.07x before the next).");
    }

    @Test
    void whatWasNotMeasuredSaysSoAtEveryNumber() throws Exception {
        Document page = parse(HtmlReport.of(input(MadeUpRuns.modelled())));
        for (int row = 1; row <= 2; row++) {
            assertThat(row(page, "2026-01-04-roofline." + row).getTextContent()).contains("modelled", "published");
        }
        assertThat(elements(page, "section").getFirst().getTextContent())
                .contains("Modelled: nothing of this was measured.");
        String markdown = MarkdownReport.of(input(MadeUpRuns.modelled()));
        assertThat(markdown).contains("0.0317 modelled").contains("0.0529 published");
    }

    @Test
    void noiseIsMarkedInTheSummaryAndAtTheTable() throws Exception {
        ResultRow wide = new ResultRow(
                MadeUpRuns.key("tokens", "1", "variant", "F16"),
                Map.of("time", new Figure("s", Kind.MEASURED, 2, 1, 3, 5)));
        Run run = MadeUpRuns.run("noisy", "gemm", "builds kept the cores busy", List.of(wide));
        Document page = parse(HtmlReport.of(input(run)));
        assertThat(elements(page, "p").stream()
                        .filter(p -> p.getAttribute("class").equals("noisy"))
                        .map(Element::getTextContent))
                .containsExactly("Noisy: builds kept the cores busy.", "Noisy: builds kept the cores busy.");
        assertThat(row(page, "noisy.1").getTextContent()).contains("~2.00");
        assertThat(MarkdownReport.of(input(run))).contains("Noisy: builds", "~2.00 (1.00-3.00)");
    }

    @Test
    void nothingInAResultIsReadAsMarkup() throws Exception {
        ResultRow row =
                new ResultRow(MadeUpRuns.key(HOSTILE, HOSTILE), Map.of(HOSTILE, Figure.of(HOSTILE, Kind.COUNTED, 1)));
        Run run = MadeUpRuns.run(HOSTILE, HOSTILE, HOSTILE, List.of(row));
        Document page = parse(HtmlReport.of(new ReportInput(List.of(run), List.of(HOSTILE))));
        assertThat(elements(page, "script")).isEmpty();
        assertThat(page.getDocumentElement().getTextContent()).contains("</td><script>alert(\"1\")</script> & 'x'");
        String withoutCommand = MarkdownReport.of(input(run)).replaceAll("`java[^`]*`", "");
        assertThat(withoutCommand).contains("&lt;script&gt;").doesNotContain("<script", " | `y`", " _z_");
    }

    @Test
    void nothingIsFetchedAndPicturesAreInThePage() throws Exception {
        String html = HtmlReport.of(input(MadeUpRuns.gemm()));
        assertThat(html).doesNotContain("<script", "<link", "http:", "https:", "url(", "@import");
        if (HtmlReport.noPlots() != null) {
            assertThat(html).contains("There are no plots, because this Java finds no fonts");
            return;
        }
        List<Element> images = elements(parse(html), "img");
        assertThat(images).hasSize(6); // time, TOPS and bytes of two shapes
        for (Element image : images) {
            String png = image.getAttribute("src").substring("data:image/png;base64,".length());
            assertThat(ImageIO.read(new ByteArrayInputStream(Base64.getDecoder().decode(png)))
                            .getWidth())
                    .isEqualTo(2 * PlotImage.WIDTH);
            assertThat(image.getAttribute("alt")).contains("tokens", "F16", "4:8p");
        }
    }

    @Test
    void namesOfFiguresAreReadAsWordsAndThoseOfTypesAreNot() {
        assertThat(Label.words("mean_ttft_ms")).isEqualTo("mean ttft ms");
        assertThat(Label.withUnit("mean_ttft_ms", Scale.of("ms", 5))).isEqualTo("mean ttft [ms]");
        assertThat(Label.words("/ llama.cpp Q4_0")).isEqualTo("/ llama.cpp Q4_0");
    }
}
