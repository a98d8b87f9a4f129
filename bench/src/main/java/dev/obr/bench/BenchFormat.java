package dev.obr.bench;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import tools.jackson.databind.json.JsonMapper;

/** How rows are written: the columns, names and widths of llama-bench, so that both tables can be pasted together. */
public enum BenchFormat {
    /** A Markdown table. */
    MD {
        @Override
        public String header(boolean kv) {
            return String.format(
                            "| %-30s | %10s | %10s | %-10s | %7s |%s %15s | %20s |",
                            "model",
                            "size",
                            "params",
                            "backend",
                            "threads",
                            kv ? kvTypes("type_k", "type_v") : "",
                            "test",
                            "t/s")
                    + "\n| ------------------------------ | ---------: | ---------: | ---------- | ------: |"
                    + (kv ? " -----: | -----: |" : "")
                    + " --------------: | -------------------: |\n";
        }

        @Override
        public String row(BenchRow row, boolean first, boolean kv) {
            return String.format(
                    Locale.ROOT,
                    "| %-30s | %10s | %10s | %-10s | %7d |%s %15s | %20s |\n",
                    row.modelType(),
                    size(row.modelBytes()),
                    parameters(row.parameters()),
                    row.backend(),
                    row.threads(),
                    kv ? kvTypes(row.kv(), row.kv()) : "",
                    row.test().name(),
                    String.format(Locale.ROOT, "%.2f ± %.2f", row.tokensPerSecond(), row.deviation()));
        }
    },
    /** Comma-separated values, all quoted. */
    CSV {
        @Override
        public String header(boolean kv) {
            return String.join(",", FIELDS) + "\n";
        }

        @Override
        public String row(BenchRow row, boolean first, boolean kv) {
            return fields(row).values().stream()
                            .map(value -> "\"" + value.toString().replace("\"", "\"\"") + "\"")
                            .collect(Collectors.joining(","))
                    + "\n";
        }
    },
    /** One array of objects. */
    JSON {
        @Override
        public String header(boolean kv) {
            return "[\n";
        }

        @Override
        public String row(BenchRow row, boolean first, boolean kv) {
            return (first ? "  " : ",\n  ") + object(row);
        }

        @Override
        public String footer() {
            return "\n]\n";
        }
    },
    /** One object a line. */
    JSONL {
        @Override
        public String row(BenchRow row, boolean first, boolean kv) {
            return object(row) + "\n";
        }
    };

    private static final List<String> FIELDS = List.of(
            "cpu_info",
            "backends",
            "model_filename",
            "model_type",
            "model_size",
            "model_n_params",
            "n_threads",
            "type_k",
            "type_v",
            "a_bits",
            "n_prompt",
            "n_gen",
            "n_depth",
            "test_time",
            "avg_ns",
            "stddev_ns",
            "avg_ts",
            "stddev_ts");

    /**
     * What stands before the rows.
     *
     * @param kv whether a table shows how keys and values are kept: like llama-bench where it is not always f16; the other formats always do
     */
    public String header(boolean kv) {
        return "";
    }

    /** One row, under {@link #header} with the same {@code kv}. */
    public abstract String row(BenchRow row, boolean first, boolean kv);

    /** What stands after the rows. */
    public String footer() {
        return "";
    }

    private static String kvTypes(String keys, String values) {
        return String.format(" %6s | %6s |", keys, values);
    }

    private static String object(BenchRow row) {
        Map<String, Object> fields = fields(row);
        fields.put("samples_ns", row.sampleNanos());
        fields.put("samples_ts", row.samples());
        return JsonMapper.builder().build().writeValueAsString(fields);
    }

    private static Map<String, Object> fields(BenchRow row) {
        Object[] values = {
            row.cpu(),
            row.backend(),
            row.modelFile(),
            row.modelType(),
            row.modelBytes(),
            row.parameters(),
            row.threads(),
            row.kv(),
            row.kv(),
            row.activationBits(),
            row.test().promptTokens(),
            row.test().generatedTokens(),
            row.test().depth(),
            row.time().toString(),
            Math.round(row.meanNanos()),
            Math.round(row.deviationNanos()),
            row.tokensPerSecond(),
            row.deviation()
        };
        Map<String, Object> fields = new LinkedHashMap<>();
        for (int i = 0; i < values.length; i++) {
            fields.put(FIELDS.get(i), values[i]);
        }
        return fields;
    }

    private static String size(long bytes) {
        double mebibytes = bytes / (1024.0 * 1024.0);
        return mebibytes < 1024
                ? String.format(Locale.ROOT, "%.2f MiB", mebibytes)
                : String.format(Locale.ROOT, "%.2f GiB", mebibytes / 1024);
    }

    private static String parameters(long n) {
        return n < 1_000_000_000
                ? String.format(Locale.ROOT, "%.2f M", n / 1e6)
                : String.format(Locale.ROOT, "%.2f B", n / 1e9);
    }
}
