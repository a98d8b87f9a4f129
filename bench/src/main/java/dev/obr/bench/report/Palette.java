package dev.obr.bench.report;

import java.awt.Color;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * One colour and one mark for each competitor of a suite, the same in all of its plots; patterns of weights have theirs in every suite. Colours are those of Okabe and Ito, which the
 * colour-blind tell apart, with grey for the yellow, which white paper swallows; marks tell them apart where there is no colour.
 */
final class Palette {
    private static final Color BLUE = new Color(0x0072B2);
    private static final Color VERMILION = new Color(0xD55E00);
    private static final Color GREEN = new Color(0x009E73);
    private static final Color PURPLE = new Color(0xCC79A7);
    private static final Color ORANGE = new Color(0xE69F00);
    private static final Color SKY = new Color(0x56B4E9);
    private static final Color GREY = new Color(0x888888);
    private static final Color BLACK = new Color(0x000000);

    private static final List<Color> COLOURS = List.of(BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, GREY, BLACK);

    /** Words in names, the first that fits. */
    private static final List<Map.Entry<String, Color>> USUAL = List.of(
            Map.entry("4:8p", BLUE),
            Map.entry("2:4", VERMILION),
            Map.entry("32:64", GREEN),
            Map.entry("unstructured", PURPLE),
            Map.entry("16", BLACK), // F16, FP16
            Map.entry("32", GREY), // FP32
            Map.entry("dense", ORANGE));

    private static final List<Style> MARKS = List.of(
            new Style(BLACK, SeriesMarkers.CIRCLE, "\u25cf"),
            new Style(BLACK, SeriesMarkers.SQUARE, "\u25a0"),
            new Style(BLACK, SeriesMarkers.TRIANGLE_UP, "\u25b2"),
            new Style(BLACK, SeriesMarkers.DIAMOND, "\u25c6"),
            new Style(BLACK, SeriesMarkers.TRIANGLE_DOWN, "\u25bc"),
            new Style(BLACK, SeriesMarkers.CROSS, "\u2715"),
            new Style(BLACK, SeriesMarkers.PLUS, "+"));

    private final Map<String, Style> styles = new LinkedHashMap<>();

    /**
     * How a competitor is drawn.
     *
     * @param glyph a letter that looks like the mark, for legends
     */
    record Style(Color colour, Marker mark, String glyph) {
        /** {@code #0072b2} */
        String css() {
            return String.format(Locale.ROOT, "#%06x", colour.getRGB() & 0xFFFFFF);
        }
    }

    /** Of a line that the others are compared with. */
    static final Style LEVEL = new Style(new Color(0x444444), SeriesMarkers.NONE, "- -");

    /** The same for a competitor whenever it is asked for. */
    Style of(Plot.Series series) {
        return series.look() == Plot.Look.LEVEL ? LEVEL : of(series.competitor());
    }

    private Style of(String competitor) {
        Style known = styles.get(competitor);
        if (known != null) {
            return known;
        }
        Style mark = MARKS.get(styles.size() % MARKS.size());
        Style style = new Style(colour(competitor), mark.mark(), mark.glyph());
        styles.put(competitor, style);
        return style;
    }

    /** Its usual one, else one that is free; when all are taken they come again. */
    private Color colour(String competitor) {
        Set<Color> taken = new HashSet<>();
        styles.values().forEach(style -> taken.add(style.colour()));
        Stream<Color> usual = USUAL.stream()
                .filter(entry -> competitor.contains(entry.getKey()))
                .limit(1)
                .map(Map.Entry::getValue);
        return Stream.concat(usual, COLOURS.stream())
                .filter(colour -> !taken.contains(colour))
                .findFirst()
                .orElse(COLOURS.get(styles.size() % COLOURS.size()));
    }
}
