package dev.obr.bench.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.bench.results.Figure;
import dev.obr.bench.results.Figure.Kind;
import dev.obr.bench.results.Machine;
import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class QualityTableTest {
    private static final ResultFile RESULTS = new ResultFile(
            ResultFile.FORMAT,
            "quality",
            "a comparison",
            "bench quality",
            "2026-01-02T03:04:05Z",
            1,
            new Machine("a processor", "AVX2", 2, 1L << 34, null, "Linux", "25", "0.1.0"),
            null,
            List.of(),
            List.of(
                    row("original", "dense", "A16KV16", Map.of("perplexity", 43.486)),
                    row(
                            "obr-gptq",
                            "2:4",
                            "A16KV16",
                            Map.of("bits", 3.104, "bytes", 6.1e6, "perplexity", 49.32, "kld", 0.1017)),
                    row("obr-gptq", "2:4", "A8KV4", Map.of("bits", 3.104, "bytes", 6.1e6, "perplexity", 49.49)),
                    row("rtn", "dense", "A16KV16", Map.of("bits", 4.104, "bytes", 6.6e6, "perplexity", 43.79))));

    @TempDir
    private Path folder;

    private static ResultRow row(String method, String pattern, String precision, Map<String, Double> values) {
        Map<String, String> key = new LinkedHashMap<>();
        key.put("method", method);
        key.put("pattern", pattern);
        key.put("head", "16");
        key.put("precision", precision);
        Map<String, Figure> figures = new LinkedHashMap<>();
        values.forEach((name, value) -> figures.put(name, Figure.of("", Kind.MEASURED, value)));
        return new ResultRow(key, figures);
    }

    @Test
    void eachModelHasALineWithColumnsForEachPrecision() {
        assertThat(QualityTable.of(RESULTS)).isEqualTo("""
                The original: **43.49**.

                | method | pattern | bits | MB | A16KV16 ppl | A16KV16 KLD | A8KV4 ppl |
                |---|---|--:|--:|--:|--:|--:|
                | obr-gptq | 2:4 | 3.104 | 6.1 | 49.32 | 0.1017 | 49.49 |
                | rtn | dense | 4.104 | 6.6 | 43.79 | - | - |
                """);
    }

    @Test
    void aSingleModelHasALineForEachPrecision() {
        ResultFile single = new ResultFile(
                RESULTS.format(),
                RESULTS.suite(),
                RESULTS.title(),
                RESULTS.command(),
                RESULTS.started(),
                RESULTS.seconds(),
                RESULTS.machine(),
                null,
                List.of(),
                RESULTS.rows().subList(1, 3));
        assertThat(QualityTable.of(single)).isEqualTo("""
                | precision | bits | MB | ppl | KLD |
                |---|--:|--:|--:|--:|
                | A16KV16 | 3.104 | 6.1 | 49.32 | 0.1017 |
                | A8KV4 | 3.104 | 6.1 | 49.49 | - |
                """);
    }

    @Test
    void aPagesTableIsRenewedAndItsProseStays() throws IOException {
        Path page = Files.writeString(
                folder.resolve("page.md"), "# Prose\n\n<!-- quality: books -->\nold\n<!-- end -->\n\nMore prose.\n");
        QualityDocument.update(page, "books", RESULTS);
        QualityDocument.update(page, "books", RESULTS);
        assertThat(Files.readString(page))
                .isEqualTo("# Prose\n\n<!-- quality: books -->\n" + QualityTable.of(RESULTS)
                        + "<!-- end -->\n\nMore prose.\n");
        assertThatThrownBy(() -> QualityDocument.update(page, "other", RESULTS))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("<!-- quality: other -->");
    }
}
