package dev.obr.bench.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.bench.results.Figure;
import dev.obr.bench.results.Figure.Kind;
import dev.obr.bench.results.ResultRow;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ServingRowsTest {
    private static Map<String, Double> round(double speed, double millis) {
        return Map.of("output_throughput", speed, "mean_ttft_ms", millis);
    }

    /** The machine halves its speed between the rounds: the ratios stay. */
    @Test
    void ratiosAreTakenWithinARoundAndMoreIsBetter() {
        ServingRows table = new ServingRows(new ServingCase(8, 4, 0, 2), List.of("dense", "4:8p"));
        table.add(0, round(10, 100));
        table.add(1, round(30, 50));
        table.add(1, round(15, 100));
        table.add(0, round(5, 200));
        table.memory(0, 600);
        table.memory(1, 200);
        List<ResultRow> rows = table.rows(List.of(64L, 10L));
        assertThat(rows.get(0).key())
                .isEqualTo(Map.of(
                        "variant", "dense", "prompt", "8", "generated", "4", "context", "0", "concurrency", "2"));
        assertThat(rows.get(0).figures())
                .containsOnlyKeys("output_throughput", "mean_ttft_ms", "weight_bytes", "peak_memory");
        Map<String, Figure> packed = rows.get(1).figures();
        assertThat(packed)
                .containsEntry("output_speedup", new Figure("x", Kind.MEASURED, 3, 3, 3, 2))
                .containsEntry("ttft_speedup", new Figure("x", Kind.MEASURED, 2, 2, 2, 2))
                .containsEntry("memory_smaller", Figure.of("x", Kind.MEASURED, 3))
                .containsEntry("weights_smaller", Figure.of("x", Kind.COUNTED, 6.4))
                .containsEntry("peak_memory", Figure.of("bytes", Kind.MEASURED, 200))
                .containsEntry("mean_ttft_ms", Figure.measured("ms", List.of(50.0, 100.0)))
                .doesNotContainKeys("decode_speedup", "tpot_speedup");
    }
}
