package dev.obr.bench.gpu;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/** Measured rows of one number of tokens beside what the model says and what was published, as Markdown and as values. */
public final class ProductTable {
    /** What stands above the rows: every time but the first is labelled as not measured here. */
    public static final List<String> HEADER = List.of(
            "| tokens | weights             | median µs | spread |   TOPS | x FP16 | weight GB/s | weight MB | x smaller | modelled µs | published µs, A100 |",
            "| -----: | :------------------ | --------: | -----: | -----: | -----: | ----------: | --------: | --------: | ----------: | -----------------: |");

    private final ProductModel model;

    public ProductTable(ProductModel model) {
        this.model = model;
    }

    /** The lines of one size's rows. */
    public List<String> lines(List<ProductRow> rows) {
        List<String> lines = new ArrayList<>();
        for (ProductRow row : rows) {
            lines.add(String.format(
                    Locale.ROOT,
                    "| %6d | %-19s | %9.2f | %5.1f%% | %6.1f | %6.2f | %11.1f | %9.2f | %9.2f | %11s | %18s |",
                    row.size().tokens(),
                    row.name(),
                    row.sample().median() * 1e6,
                    row.sample().spread() * 100,
                    row.tera(),
                    row.speedup(reference(rows)),
                    row.weightGigabytes(),
                    row.weightBytes() / 1e6,
                    row.memoryRatio(),
                    micros(modelled(row)),
                    micros(published(row))));
        }
        return lines;
    }

    /** The rows with all their times, for programs. */
    public List<Map<String, Object>> values(List<ProductRow> rows) {
        List<Map<String, Object>> all = new ArrayList<>();
        for (ProductRow row : rows) {
            Map<String, Object> values = new LinkedHashMap<>();
            values.put("tokens", row.size().tokens());
            values.put("features", row.size().features());
            values.put("columns", row.size().columns());
            values.put("weights", row.name());
            values.put("median_seconds", row.sample().median());
            values.put("spread", row.sample().spread());
            values.put("tera_operations_per_second", row.tera());
            values.put("speedup_over_fp16", row.speedup(reference(rows)));
            values.put("weight_bytes", row.weightBytes());
            values.put("products_per_repetition", row.turns());
            values.put("seconds", row.sample().seconds());
            modelled(row).ifPresent(seconds -> values.put("modelled_seconds", seconds));
            published(row).ifPresent(seconds -> values.put("published_a100_seconds", seconds));
            all.add(values);
        }
        return all;
    }

    /** The fastest of half floats. */
    private static ProductRow reference(List<ProductRow> rows) {
        return rows.stream()
                .filter(ProductRow::reference)
                .min(Comparator.comparingDouble(row -> row.sample().median()))
                .orElseThrow();
    }

    private OptionalDouble modelled(ProductRow row) {
        return row.kernel() == null ? OptionalDouble.empty() : model.seconds(row.size(), row.kernel());
    }

    private static OptionalDouble published(ProductRow row) {
        return row.kernel() == null ? OptionalDouble.empty() : Published.seconds(row.size(), row.kernel());
    }

    private static String micros(OptionalDouble seconds) {
        return seconds.isPresent() ? String.format(Locale.ROOT, "%.2f", seconds.getAsDouble() * 1e6) : "";
    }
}
