package dev.obr.bench.gemm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.bench.gpu.ProductRow;
import dev.obr.bench.gpu.ProductSize;
import dev.obr.bench.gpu.Sample;
import dev.obr.bench.results.Figure;
import dev.obr.bench.results.ResultRow;
import dev.obr.bench.roofline.ProductKernel;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class GemmResultsTest {
    private static final GemmShape SHAPE = new GemmShape(4096, 4096);

    private static ProductRow row(String name, boolean reference, long bytes, Double... seconds) {
        return new ProductRow(
                new ProductSize(65536, 4096, 4096), null, name, reference, bytes, 1, new Sample(List.of(seconds)));
    }

    /** The paper's figure 1b: 2.199e12 operations in 2.02 ms are 1088.6 TOPS, 4.72 times as fast as 9.54 ms; 5 MiB are 6.4 times smaller than 32. */
    @Test
    void thePapersFiguresComeOut() {
        GemmResults results = new GemmResults();
        List<String> lines = results.add(
                SHAPE,
                65536,
                List.of(row("FP16 dense", true, 32L << 20, 9.54e-3), row("INT4 4:8p", false, 5L << 20, 2.02e-3)),
                OptionalDouble.empty());
        assertThat(lines.get(1))
                .isEqualTo(
                        "| 4096x4096   |  65536 | INT4 4:8p             |      2.020 |   0.0% | 1088.625 |    4.72 |      5.24 |      6.40 |");
        ResultRow sparse = results.rows().get(1);
        assertThat(sparse.key())
                .containsExactlyEntriesOf(
                        new TreeMap<>(Map.of("shape", "4096x4096", "tokens", "65536", "variant", "INT4 4:8p")));
        assertThat(sparse.figures()).containsOnlyKeys("time", "TOPS", "weight_bytes", "speedup", "memory_ratio");
        assertThat(figure(sparse, "time").median()).isEqualTo(2.02e-3);
        assertThat(figure(sparse, "TOPS").median()).isCloseTo(1088.6, within(0.1));
        assertThat(figure(sparse, "weight_bytes").median()).isEqualTo(5 << 20);
        assertThat(figure(sparse, "speedup").median()).isCloseTo(4.72, within(0.005));
        assertThat(figure(sparse, "memory_ratio").median()).isEqualTo(6.4);
        assertThat(figure(sparse, "speedup").ratio()).isTrue();
    }

    /** The second library is the faster one; repetitions are compared one by one, so that a clock that halves leaves the ratios alone. */
    @Test
    void speedupsAreOverTheFastestDenseFloats() {
        GemmResults results = new GemmResults();
        results.add(
                SHAPE,
                65536,
                List.of(
                        row("FP16 dense", true, 1, 3.0, 6.0, 3.0),
                        row("FP32 dense", true, 2, 2.0, 4.0, 2.0),
                        row("INT4 dense", false, 1, 1.0, 2.0, 1.0)),
                OptionalDouble.empty());
        Figure speedup = figure(results.rows().get(2), "speedup");
        assertThat(speedup).isEqualTo(new Figure("x", Figure.Kind.MEASURED, 2, 2, 2, 3));
        assertThat(figure(results.rows().get(1), "speedup").median()).isEqualTo(1);
    }

    /** 5 MB at 10 GB/s take half a millisecond. */
    @Test
    void whatReadingTheWeightsTakesStandsBesideTheTime() {
        GemmResults results = new GemmResults();
        results.add(SHAPE, 1, List.of(row("FP16 dense", true, 5_000_000, 1e-3)), OptionalDouble.of(10e9));
        assertThat(figure(results.rows().getFirst(), "read_time"))
                .isEqualTo(Figure.of("s", Figure.Kind.MODELLED, 0.5e-3));
    }

    @Test
    void thePapersOwnTimesStandBesideAGpus() {
        GemmResults results = new GemmResults();
        results.add(
                SHAPE,
                65536,
                List.of(
                        new ProductRow(
                                new ProductSize(65536, 4096, 4096),
                                ProductKernel.HALF,
                                "FP16 dense",
                                true,
                                1,
                                1,
                                new Sample(List.of(1.0))),
                        row("FP16 dense, cuBLAS", true, 1, 1.0)),
                OptionalDouble.empty());
        assertThat(figure(results.rows().get(0), "published_a100_time"))
                .isEqualTo(Figure.of("s", Figure.Kind.PUBLISHED, 9.54e-3));
        assertThat(results.rows().get(1).figures()).doesNotContainKey("published_a100_time");
    }

    private static Figure figure(ResultRow row, String name) {
        return Objects.requireNonNull(row.figures().get(name));
    }
}
