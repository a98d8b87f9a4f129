package dev.obr.bench.report;

import java.awt.Color;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * One colour and one mark for each competitor of a report, the same in all of its pictures. Colours are those of Okabe and Ito, which the colour-blind tell apart, without the yellow, which
 * white paper swallows; marks tell them apart in grey.
 */
final class Palette {
    private static final List<Color> COLOURS = List.of(
            new Color(0x0072B2), // blue
            new Color(0xD55E00), // vermilion
            new Color(0x009E73), // green
            new Color(0xCC79A7), // purple
            new Color(0xE69F00), // orange
            new Color(0x56B4E9), // sky
            new Color(0x000000));

    private static final List<Marker> MARKS = List.of(
            SeriesMarkers.CIRCLE,
            SeriesMarkers.SQUARE,
            SeriesMarkers.TRIANGLE_UP,
            SeriesMarkers.DIAMOND,
            SeriesMarkers.TRIANGLE_DOWN,
            SeriesMarkers.CROSS,
            SeriesMarkers.PLUS);

    private final Map<String, Integer> places = new LinkedHashMap<>();

    /** How a competitor is drawn. */
    record Style(Color colour, Marker mark) {}

    /** In the order in which competitors are asked for first; from the eighth on, colours come again with other marks. */
    Style of(String competitor) {
        int place = places.computeIfAbsent(competitor, name -> places.size());
        int round = place / COLOURS.size();
        return new Style(COLOURS.get(place % COLOURS.size()), MARKS.get((place + round) % MARKS.size()));
    }
}
