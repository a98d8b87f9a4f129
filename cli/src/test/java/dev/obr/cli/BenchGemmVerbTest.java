package dev.obr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.bench.results.ResultFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bench gemm} in small: what it prints and writes, not how fast anything is. */
class BenchGemmVerbTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path folder;

    @Test
    void tableAndFileHaveARowForEachVariant() {
        Path file = folder.resolve("gemm.json");
        Ran ran = Ran.verb(
                "bench",
                "gemm",
                "--shapes",
                "64x128,128x64",
                "--tokens",
                "3,1",
                "-t",
                "1",
                "--budget",
                "600",
                "--output",
                file.toString());
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        List<String> lines = ran.out().lines().toList();
        assertThat(lines.get(0)).startsWith("| shape       | tokens | weights");
        assertThat(lines.get(1)).hasSameSizeAs(lines.get(0));
        assertThat(lines.get(2))
                .startsWith("| 64x128      |      1 | FP16 dense ")
                .hasSameSizeAs(lines.get(0));
        assertThat(ran.out()).contains("INT4 dense, A8", "INT4 2:4, A8", "INT4 4:8p, A8", "INT4 unstructured, A8");
        ResultFile results = ResultFile.read(file);
        assertThat(results.suite()).isEqualTo("gemm");
        assertThat(results.command()).startsWith("java -jar obr-runtime.jar bench gemm --shapes 64x128,128x64 ");
        assertThat(results.machine().gpu()).isNull();
        assertThat(results.notes()).anyMatch(note -> note.contains("TOPS count the operations of dense weights"));
        long ofOneCase = results.rows().stream()
                .filter(row -> "64x128".equals(row.key().get("shape"))
                        && "3".equals(row.key().get("tokens")))
                .count();
        assertThat(results.rows()).hasSize((int) (4 * ofOneCase));
        assertThat(results.rows()).allSatisfy(row -> {
            List<String> figures = new ArrayList<>(List.of("time", "TOPS", "weight_bytes", "speedup", "memory_ratio"));
            if ("1".equals(row.key().get("tokens"))) {
                figures.add("read_time"); // memory bounds no more than that
            }
            assertThat(row.figures()).containsOnlyKeys(figures.toArray(String[]::new));
        });
    }

    @Test
    void whatIsLeftOutIsSaid() {
        Ran ran = Ran.verb("bench", "gemm", "--shapes", "1024x1024", "--tokens", "1,131072", "--budget", "3");
        assertThat(ran.out()).containsPattern("1024x1024 with (1, )?131072 tokens is left out: ");
    }
}
