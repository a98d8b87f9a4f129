package dev.obr.bench.report;

import dev.obr.bench.report.ReportInput.Run;
import dev.obr.bench.results.Figure;
import dev.obr.bench.results.Figure.Kind;
import dev.obr.bench.results.Machine;
import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Results with numbers that are easy to find again. */
final class MadeUpRuns {
    static final Machine MACHINE =
            new Machine("a processor of 1999", "AVX2", 2, 24L << 30, null, "Linux 6", "Java 25", "0.1.0");

    private MadeUpRuns() {}

    /** Two shapes, three counts of tokens; 4:8p takes half of the time of F16 but for 256 tokens of the second shape, where it takes twice as long. */
    static Run gemm() {
        List<ResultRow> rows = new ArrayList<>();
        for (String shape : List.of("64x64", "128x64")) {
            for (int tokens : new int[] {1, 16, 256}) {
                double half = tokens * 2e-3;
                double packed = shape.equals("128x64") && tokens == 256 ? 2 * half : half / 2;
                rows.add(row(shape, tokens, "F16", half, half));
                rows.add(row(shape, tokens, "4:8p", packed, half));
            }
        }
        return run("2026-01-02-gemm", "gemm", null, rows);
    }

    private static ResultRow row(String shape, int tokens, String variant, double seconds, double half) {
        Map<String, Figure> figures = new LinkedHashMap<>();
        figures.put("time", new Figure("s", Kind.MEASURED, seconds, 0.99 * seconds, 1.01 * seconds, 7));
        figures.put("TOPS", Figure.of("TOPS", Kind.MEASURED, 1e-3 / seconds));
        figures.put("weight_bytes", Figure.of("bytes", Kind.COUNTED, variant.equals("F16") ? 8192 : 1288));
        figures.put("speedup", new Figure("x", Kind.MEASURED, half / seconds, half / seconds, half / seconds, 7));
        return new ResultRow(key("shape", shape, "tokens", Integer.toString(tokens), "variant", variant), figures);
    }

    static Run quality() {
        List<ResultRow> rows = new ArrayList<>();
        rows.add(quality("rtn", "dense", 4.1, 43.79));
        rows.add(quality("obr-plus", "4:8p", 2.6, 47.93));
        rows.add(quality("obr-plus", "2:4", 3.1, 46.05));
        rows.add(quality("obr-gptq", "2:4", 3.1, 49.32));
        return run("2026-01-03-quality", "quality", null, rows);
    }

    private static ResultRow quality(String method, String pattern, double bits, double perplexity) {
        return new ResultRow(
                key("method", method, "pattern", pattern, "precision", "A8KV4"),
                Map.of(
                        "bits", Figure.of("bits", Kind.COUNTED, bits),
                        "perplexity", Figure.of("", Kind.MEASURED, perplexity)));
    }

    /** What nobody measured, beside what others published. */
    static Run modelled() {
        List<ResultRow> rows = new ArrayList<>();
        for (int tokens : new int[] {1, 64}) {
            rows.add(new ResultRow(
                    key("gpu", "A100", "tokens", Integer.toString(tokens), "weights", "4:8p"),
                    Map.of(
                            "time", Figure.of("s", Kind.MODELLED, tokens * 31.7e-6),
                            "published", Figure.of("s", Kind.PUBLISHED, tokens * 52.9e-6))));
        }
        return run("2026-01-04-roofline", "roofline", null, rows);
    }

    static Run run(String name, String suite, @Nullable String noise, List<ResultRow> rows) {
        return new Run(
                name,
                new ResultFile(
                        ResultFile.FORMAT,
                        suite,
                        "Of " + suite,
                        "java -jar obr-runtime.jar bench " + suite,
                        "2026-01-02T03:04:05Z",
                        61.5,
                        MACHINE,
                        noise,
                        List.of("A note below."),
                        rows));
    }

    static Map<String, String> key(String... namesAndValues) {
        Map<String, String> key = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            key.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return key;
    }
}
