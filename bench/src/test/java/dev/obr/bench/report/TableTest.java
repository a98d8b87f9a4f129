package dev.obr.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.bench.results.Figure;
import dev.obr.bench.results.ResultRow;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TableTest {
    /** A page at 1280 pixels has room for 12 columns. */
    @ParameterizedTest
    @CsvSource({"1, 3, 1", "5, 7, 1", "5, 8, 2", "5, 33, 5", "3, 9, 1", "12, 2, 2", "14, 2, 2"})
    void tablesAreNoWiderThanThePageAndHoldEveryFigureOnce(int keys, int figures, int tables) {
        Map<String, String> key = new LinkedHashMap<>();
        Map<String, Figure> row = new LinkedHashMap<>();
        IntStream.range(0, keys).forEach(i -> key.put("key" + i, "value"));
        IntStream.range(0, figures).forEach(i -> row.put("figure" + i, Figure.of("s", Figure.Kind.MEASURED, 1)));
        List<Table> pages = Table.of(MadeUpRuns.run("wide", "e2e", null, List.of(new ResultRow(key, row)))
                        .results())
                .pages();
        assertThat(pages).hasSize(tables);
        assertThat(pages)
                .allSatisfy(page -> assertThat(page.titles()).hasSizeLessThanOrEqualTo(Math.max(12, keys + 1)));
        assertThat(pages).flatMap(page -> page.scales().keySet()).containsExactlyElementsOf(row.keySet());
        assertThat(pages).allSatisfy(page -> assertThat(page.keys()).containsExactlyElementsOf(key.keySet()));
    }
}
