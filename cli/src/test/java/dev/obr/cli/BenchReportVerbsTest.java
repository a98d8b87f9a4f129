package dev.obr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.bench.results.Figure;
import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Benchmarks whose results are read again: modelled GPUs, quality, and the page that is made of them. */
class BenchReportVerbsTest {
    private static final String SENTENCE = "Once upon a time there was a rabbit who had a watch and was always late. ";

    @TempDir
    private Path folder;

    private String file(String name) {
        return folder.resolve(name).toString();
    }

    @Test
    void whatIsModelledIsWrittenAsModelled() {
        Ran ran = Ran.verb("bench", "roofline", "--compress", "--output", file("compress.json"));
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        ResultFile results = ResultFile.read(folder.resolve("compress.json"));
        assertThat(results.suite()).isEqualTo("compress");
        assertThat(results.command()).endsWith("bench roofline --compress --output " + file("compress.json"));
        assertThat(results.rows()).hasSize(18).allSatisfy(row -> {
            assertThat(row.figures().get("compress_time"))
                    .extracting(Figure::kind)
                    .isEqualTo(Figure.Kind.MODELLED);
            assertThat(row.figures().containsKey("published"))
                    .isEqualTo(row.key().getOrDefault("gpu", "").startsWith("A100"));
        });
        Ran report = Ran.verb(
                "bench", "report", folder.toString(), "--output", file("page.html"), "--markdown", file("page.md"));
        assertThat(report.exitCode()).as(report.err()).isZero();
        assertThat(folder.resolve("page.html")).content().contains("Llama-2-70B", "modelled", "</html>");
        assertThat(folder.resolve("page.md")).content().contains("Llama-2-70B", "modelled");
    }

    @Test
    void aReportOfNothingIsAnError() {
        Ran ran = Ran.verb("bench", "report", folder.toString(), "--output", file("page.html"));
        assertThat(ran.exitCode()).isEqualTo(1);
        assertThat(ran.err()).contains("there are no results in " + folder);
        assertThat(folder.resolve("page.html")).doesNotExist();
    }

    @Test
    void qualityIsMeasuredOnceAndKept() throws IOException {
        Path text = Files.writeString(folder.resolve("text.txt"), SENTENCE.repeat(20));
        String[] verb = {
            "bench",
            "quality",
            "--model",
            "../runtime/src/test/resources/models/stories260K",
            "--calibration",
            text.toString(),
            "--samples",
            "2",
            "--seqlen",
            "32",
            "--text",
            text.toString(),
            "--context",
            "64",
            "--windows",
            "2",
            "--methods",
            "obr-gptq,rtn",
            "--patterns",
            "2:4",
            "--precisions",
            "A16KV16,A8KV4",
            "--speed-tokens",
            "0",
            "--work",
            file("work"),
            "--output",
            file("quality.json")
        };
        Ran ran = Ran.verb(verb);
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        assertThat(ran.err()).contains("compressing obr-gptq-2_4", "measuring rtn-dense-4bit-head16-A8KV4");
        List<ResultRow> rows = ResultFile.read(folder.resolve("quality.json")).rows();
        assertThat(rows.stream()
                        .map(row -> row.key().get("method") + " " + row.key().get("precision")))
                .containsExactly("original A16KV16", "obr-gptq A16KV16", "obr-gptq A8KV4", "rtn A16KV16", "rtn A8KV4");
        assertThat(rows.subList(1, 5))
                .allSatisfy(row ->
                        assertThat(row.figures()).containsKeys("bits", "bytes", "perplexity", "kld", "compress_time"));
        assertThat(ran.out()).contains("| obr-gptq | 2:4 | 3.4").contains("| rtn | dense | 4.4");

        Ran again = Ran.verb(verb);
        assertThat(again.err()).doesNotContain("compressing", "measuring");
        assertThat(again.out()).isEqualTo(ran.out());
        assertThat(ResultFile.read(folder.resolve("quality.json")).rows()).isEqualTo(rows);
    }
}
