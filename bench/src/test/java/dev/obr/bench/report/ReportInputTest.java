package dev.obr.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ReportInputTest {
    @TempDir
    private Path folder;

    @Test
    void aFoldersResultsAreReadBySuiteAndTheRestIsNamed() throws IOException {
        MadeUpRuns.modelled().results().write(folder.resolve("a.json"));
        MadeUpRuns.gemm().results().write(folder.resolve("b.json"));
        Files.writeString(folder.resolve("c.json"), "{\"format\": \"obr-bench/1\", \"rows\": [{");
        Files.writeString(folder.resolve("notes.md"), "# no results");
        ReportInput input = ReportInput.read(List.of(folder));
        assertThat(input.runs().stream().map(ReportInput.Run::name)).containsExactly("b", "a");
        assertThat(input.leftOut()).singleElement().asString().contains("c.json is not a result file");
        assertThat(HtmlReport.of(input)).contains("Left out: ", "c.json is not a result file");
    }

    @Test
    void anEmptyFolderIsAnError() {
        assertThatThrownBy(() -> ReportInput.read(List.of(folder)))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("there are no results in " + folder);
    }

    @Test
    void aFileThatIsNamedMustBeOne() throws IOException {
        Path broken = Files.writeString(folder.resolve("broken.json"), "[");
        assertThatThrownBy(() -> ReportInput.read(List.of(broken)))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("broken.json is not a result file");
        assertThatThrownBy(() -> ReportInput.read(List.of(folder.resolve("none"))))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("does not exist");
    }
}
