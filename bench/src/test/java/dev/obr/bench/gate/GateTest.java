package dev.obr.bench.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.bench.gate.Change.Verdict;
import dev.obr.bench.results.Figure;
import dev.obr.bench.results.Figure.Kind;
import dev.obr.bench.results.Machine;
import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import dev.obr.kernels.ObrException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Made-up result files. */
class GateTest {
    private static final Machine ZEN = machine("Zen 3", null);

    private static Machine machine(String cpu, @Nullable String gpu) {
        return new Machine(cpu, "AVX2", 2, 1L << 34, gpu, "Linux 6", "25", "0.1.0");
    }

    private static Figure ratio(double low, double median, double high) {
        return new Figure("x", Kind.MEASURED, median, low, high, 5);
    }

    private static ResultFile file(Machine machine, @Nullable String noise, Map<String, Figure> byVariant) {
        List<ResultRow> rows = new ArrayList<>();
        byVariant.forEach((variant, figure) ->
                rows.add(new ResultRow(Map.of("variant", variant), Map.of("decode_speedup", figure))));
        return new ResultFile(
                ResultFile.FORMAT, "e2e", "t", "c", "2026-01-01T00:00:00Z", 1, machine, noise, List.of(), rows);
    }

    private static ResultFile file(Map<String, Figure> byVariant) {
        return file(ZEN, null, byVariant);
    }

    /** Before: 4.0 between 3.9 and 4.1; threshold 10%. */
    @ParameterizedTest
    @CsvSource({
        "4.0, 4.0, 4.0, ALIKE",
        "3.5, 3.6, 3.8, ALIKE", // 10% less is not more than 10% less
        "3.4, 3.5, 3.8, REGRESSED",
        "3.4, 3.5, 3.9, UNCERTAIN", // the quarters touch
        "2.0, 3.0, 4.5, UNCERTAIN",
        "1.0, 1.0, 1.0, REGRESSED",
        "4.3, 4.4, 4.5, ALIKE",
        "4.3, 4.5, 4.6, IMPROVED",
        "40, 40, 40, IMPROVED"
    })
    void aRatioRegressesWhereItFallsByMoreThanThresholdAndSpread(
            double low, double median, double high, Verdict verdict) {
        GateReport report = GateReport.of(
                file(Map.of("4:8p", ratio(3.9, 4.0, 4.1))), file(Map.of("4:8p", ratio(low, median, high))), 0.1);
        assertThat(report.changes()).extracting(Change::verdict).containsExactly(verdict);
        assertThat(report.passes()).isEqualTo(verdict != Verdict.REGRESSED);
    }

    @Test
    void whatIsMissingOrNewIsSaidAndDoesNotFail() {
        Map<String, Figure> before = new LinkedHashMap<>();
        before.put("4:8p", ratio(4, 4, 4));
        before.put("2:4", ratio(3, 3, 3));
        Map<String, Figure> after = new LinkedHashMap<>();
        after.put("32:64", ratio(2, 2, 2));
        after.put("4:8p", ratio(4, 4, 4));
        GateReport report = GateReport.of(file(before), file(after), 0.1);
        assertThat(report.changes())
                .extracting(Change::verdict)
                .containsExactly(Verdict.ALIKE, Verdict.MISSING, Verdict.ADDED);
        assertThat(report.passes()).isTrue();
        assertThat(report.markdown())
                .contains("| variant 2:4 | decode_speedup | 3.00 (3.00-3.00) |  |  | missing in the newer |")
                .contains("| variant 32:64 | decode_speedup |  | 2.00 (2.00-2.00) |  | new |")
                .doesNotContain("variant 4:8p")
                .contains("3 ratios, threshold 10%: 1 alike, 1 missing in the newer, 1 new.");
    }

    /** Ten times slower in seconds on another machine, whose ratios are alike. */
    @Test
    void timesAndCountsAreNeverCompared() {
        ResultFile before = withTimes(ZEN, 1, 6.4);
        ResultFile after = withTimes(machine("Zen 3", "a GPU"), 10, 1);
        GateReport report = GateReport.of(before, after, 0.1);
        assertThat(report.changes()).hasSize(1);
        assertThat(report.passes()).isTrue();
        assertThat(report.markdown())
                .isEqualTo(
                        "1 ratio, threshold 10%: 1 alike.\nMeasured on different machines, which shifts ratios too: Zen 3, 2 cores; Zen 3, 2 cores, a GPU.\n");
    }

    private static ResultFile withTimes(Machine machine, double seconds, double counted) {
        Map<String, Figure> figures = Map.of(
                "time",
                Figure.of("s", Kind.MEASURED, seconds),
                "smaller",
                Figure.of("x", Kind.COUNTED, counted),
                "roofline",
                Figure.of("x", Kind.MODELLED, counted),
                "speedup",
                ratio(2, 2, 2));
        ResultFile file = file(machine, null, Map.of());
        return new ResultFile(
                file.format(),
                file.suite(),
                file.title(),
                file.command(),
                file.started(),
                file.seconds(),
                file.machine(),
                null,
                List.of(),
                List.of(new ResultRow(Map.of("k", "4096"), figures)));
    }

    @Test
    void aDisturbedRunIsSaid() {
        Map<String, Figure> rows = Map.of("4:8p", ratio(4, 4, 4));
        assertThat(GateReport.of(file(ZEN, "busy cores", rows), file(rows), 0.1).markdown())
                .contains("The older run was disturbed: busy cores.")
                .doesNotContain("The newer run");
    }

    @Test
    void filesThatHaveNothingInCommonAreRefused() {
        ResultFile empty = file(Map.of());
        ResultFile one = file(Map.of("4:8p", ratio(4, 4, 4)));
        assertThatThrownBy(() -> GateReport.of(one, empty, 0.1))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("no measured ratio in common (1 in the older, 0 in the newer)");
        ResultFile other = new ResultFile(
                ResultFile.FORMAT, "gemm", "t", "c", "2026-01-01T00:00:00Z", 1, ZEN, null, List.of(), one.rows());
        assertThatThrownBy(() -> GateReport.of(one, other, 0.1))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("of the suite e2e, the newer of gemm");
    }
}
