package dev.obr.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.bench.report.Plot.Axis;
import dev.obr.bench.report.Plot.Look;
import dev.obr.bench.report.Plot.Point;
import dev.obr.bench.report.Plot.Series;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PlotChoiceTest {
    private static Plot plot(ReportInput.Run run, String title) {
        return PlotChoice.plots(run.results()).stream()
                .filter(plot -> plot.title().equals(title))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void eachShapeHasALineForEachVariantOverTokens() {
        assertThat(PlotChoice.plots(MadeUpRuns.gemm().results()).stream().map(Plot::title))
                .containsExactly(
                        "Runtime against tokens: shape 64x64",
                        "Runtime against tokens: shape 128x64",
                        "Speed of the products against tokens: shape 64x64",
                        "Speed of the products against tokens: shape 128x64",
                        "Memory of the weights against tokens: shape 64x64",
                        "Memory of the weights against tokens: shape 128x64");
        Plot plot = plot(MadeUpRuns.gemm(), "Runtime against tokens: shape 128x64");
        assertThat(plot.x()).isEqualTo(new Axis("tokens", true));
        assertThat(plot.y()).isEqualTo(new Axis("time [ms]", true));
        assertThat(plot.series())
                .containsExactly(
                        new Series(
                                "F16",
                                "F16",
                                Look.LINE,
                                List.of(new Point(1, 2), new Point(16, 32), new Point(256, 512))),
                        new Series(
                                "4:8p",
                                "4:8p",
                                Look.LINE,
                                List.of(new Point(1, 1), new Point(16, 16), new Point(256, 1024))));
    }

    @Test
    void qualityStandsAgainstBitsWithAllPatternsOfAMethodTogether() {
        Plot plot = plot(MadeUpRuns.quality(), "Quality against bits");
        assertThat(plot.x().title()).isEqualTo("bits");
        assertThat(plot.series().stream().map(Series::name)).containsExactly("rtn", "obr-plus", "obr-gptq");
        assertThat(plot.series().get(1).points()).containsExactly(new Point(2.6, 47.93), new Point(3.1, 46.05));
        assertThat(plot.series()).allMatch(series -> series.look() == Look.DOTS);
    }

    @Test
    void modelledLinesSaySoAndStandAgainstWhatIsKnown() {
        Plot time = plot(MadeUpRuns.modelled(), "Runtime against tokens");
        assertThat(time.y().title()).isEqualTo("time [ms], modelled");
        assertThat(time.series()).singleElement().matches(series -> series.look() == Look.MODELLED_LINE);
        Plot against = plot(MadeUpRuns.modelled(), "Modelled against published");
        assertThat(against.equal()).isTrue();
        assertThat(against.x().title()).isEqualTo("published [ms]");
        assertThat(against.y().title()).isEqualTo("modelled [ms]");
        assertThat(against.series().getFirst().points()).hasSize(2);
    }
}
