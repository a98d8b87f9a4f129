package dev.obr.bench.report;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What one picture shows, before anything is drawn.
 *
 * @param title what is drawn over what, and of which case
 * @param equal whether the line on which both axes are the same is drawn, too
 */
record Plot(String title, Axis x, Axis y, List<Series> series, boolean equal) {
    /**
     * An axis.
     *
     * @param title with the unit
     * @param logarithmic whether equal ratios are equally long
     */
    record Axis(String title, boolean logarithmic) {}

    /**
     * The points of one competitor.
     *
     * @param name in the legend
     * @param competitor which has one colour in the whole report
     * @param look how they are drawn
     */
    record Series(String name, String competitor, Look look, List<Point> points) {
        Series {
            points = List.copyOf(points);
        }

        Series named(String other) {
            return new Series(other, competitor, look, points);
        }
    }

    /** What the points of a series become. */
    enum Look {
        DOTS,
        /** Joined by a line. */
        LINE,
        /** Joined by a broken line. */
        MODELLED_LINE,
        /** No dots, but a broken line for the others to be compared with. */
        LEVEL
    }

    /** In the units of the axes. */
    record Point(double x, double y) {}

    Plot {
        series = List.copyOf(series);
    }

    /** The picture in words, for those who do not see it. */
    String description() {
        return title + ": " + y.title() + " over " + x.title() + ", of "
                + series.stream().map(Series::name).collect(Collectors.joining(", "));
    }
}
