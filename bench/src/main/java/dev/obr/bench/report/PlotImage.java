package dev.obr.bench.report;

import dev.obr.bench.report.Plot.Look;
import dev.obr.bench.report.Plot.Point;
import dev.obr.bench.report.Plot.Series;
import dev.obr.kernels.ObrException;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.font.FontRenderContext;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws plots with XChart, as PNG of twice the pixels that they take on a page, so that they are sharp on paper. */
final class PlotImage {
    /** On the page. */
    static final int WIDTH = 600;

    static final int HEIGHT = 360;

    private static final int PIXELS = 2;
    private static final int FONT_SIZE = 13;
    private static final Color TEXT = new Color(0x333333);
    private static final Color FAINT = new Color(0xE2E2E2);
    private static final String EQUAL = "equal";

    private final Palette palette;

    PlotImage(Palette palette) {
        this.palette = palette;
    }

    /** Why this Java cannot draw; null where it can. */
    static @Nullable String missing() {
        System.setProperty("java.awt.headless", "true"); // no window is opened, wherever this runs
        try {
            new Font(Font.SANS_SERIF, Font.PLAIN, FONT_SIZE)
                    .getStringBounds("0", new FontRenderContext(null, true, true));
            return null;
        } catch (RuntimeException | InternalError | LinkageError e) {
            return "There are no plots, because this Java finds no fonts (" + e
                    + "): install fontconfig and a font, for example the packages fontconfig and fonts-dejavu-core.";
        }
    }

    /** {@code plot} as PNG. */
    byte[] png(Plot plot) {
        BufferedImage image = new BufferedImage(PIXELS * WIDTH, PIXELS * HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.scale(PIXELS, PIXELS);
        chart(plot).paint(graphics, WIDTH, HEIGHT);
        graphics.dispose();
        try {
            return IndexedPng.of(image);
        } catch (IOException e) {
            throw new ObrException("cannot draw " + plot.title() + ": " + e.getMessage());
        }
    }

    private XYChart chart(Plot plot) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .xAxisTitle(plot.x().title())
                .yAxisTitle(plot.y().title())
                .build();
        XYStyler styler = chart.getStyler();
        calm(styler);
        Range x = Range.of(plot, Point::x, plot.x().logarithmic());
        Range y = Range.of(plot, Point::y, plot.y().logarithmic());
        if (plot.equal()) {
            x = x.with(y);
            y = x;
            XYSeries line = chart.addSeries(EQUAL, new double[] {x.low(), x.high()}, new double[] {x.low(), x.high()});
            line.setMarker(SeriesMarkers.NONE);
            line.setLineColor(Color.GRAY);
            line.setLineStyle(SeriesLines.DOT_DOT);
            line.setLineWidth(1);
        }
        styler.setXAxisLogarithmic(plot.x().logarithmic());
        styler.setYAxisLogarithmic(plot.y().logarithmic());
        styler.setXAxisMin(x.low());
        styler.setXAxisMax(x.high());
        styler.setYAxisMin(y.low());
        styler.setYAxisMax(y.high());
        plot.series().forEach(series -> draw(chart, series));
        return chart;
    }

    private void draw(XYChart chart, Series series) {
        XYSeries drawn = chart.addSeries(
                series.name(),
                series.points().stream().mapToDouble(Point::x).toArray(),
                series.points().stream().mapToDouble(Point::y).toArray());
        Palette.Style style = palette.of(series);
        drawn.setLineColor(style.colour());
        drawn.setMarkerColor(style.colour());
        drawn.setMarker(style.mark());
        drawn.setLineWidth(2);
        drawn.setLineStyle(series.look() == Look.LINE ? SeriesLines.SOLID : SeriesLines.DASH_DASH);
        drawn.setXYSeriesRenderStyle(
                series.look() == Look.DOTS ? XYSeriesRenderStyle.Scatter : XYSeriesRenderStyle.Line);
    }

    /** Letters and lines that let the numbers speak. */
    private static void calm(XYStyler styler) {
        Font font = new Font(Font.SANS_SERIF, Font.PLAIN, FONT_SIZE);
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setPlotBackgroundColor(Color.WHITE);
        styler.setPlotBorderVisible(false);
        styler.setPlotGridLinesColor(FAINT);
        styler.setPlotGridLinesStroke(new BasicStroke(1));
        styler.setPlotTicksMarksVisible(false);
        styler.setAxisTickMarksColor(Color.GRAY);
        styler.setAxisTickLabelsColor(TEXT);
        styler.setAxisTickLabelsFont(font.deriveFont(12f));
        styler.setAxisTitleFont(font);
        styler.setChartFontColor(TEXT);
        styler.setChartTitleVisible(false);
        styler.setLegendVisible(false); // the page has it as text
        styler.setMarkerSize(8);
        styler.setChartPadding(8);
        styler.setLocale(Locale.ROOT);
        styler.setXAxisTickLabelsFormattingFunction(Scale::tick);
        styler.setYAxisTickLabelsFormattingFunction(Scale::tick);
    }

    /** From where to where an axis goes: a little more than its numbers take, or whole decades. */
    private record Range(double low, double high) {
        private static final double MARGIN = 0.06;
        private static final double LEAST = 1e-9; // of a decade

        static Range of(Plot plot, ToDoubleFunction<Point> value, boolean logarithmic) {
            double[] values = plot.series().stream()
                    .flatMap(series -> series.points().stream())
                    .mapToDouble(value)
                    .sorted()
                    .toArray();
            double low = values[0];
            double high = values[values.length - 1];
            if (logarithmic) {
                return new Range(
                        Math.pow(10, Math.floor(Math.log10(low))), Math.pow(10, Math.ceil(Math.log10(high) + LEAST)));
            }
            double more = Math.max((high - low) * MARGIN, Math.abs(high) * 0.01);
            return new Range(low - more, high + more);
        }

        Range with(Range other) {
            return new Range(Math.min(low, other.low), Math.max(high, other.high));
        }
    }
}
