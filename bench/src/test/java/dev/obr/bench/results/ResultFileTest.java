package dev.obr.bench.results;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ResultFileTest {
    private static final Machine MACHINE =
            new Machine("a processor", "AVX2", 2, 1L << 34, null, "Linux 6", "25", "0.1.0");

    @TempDir
    private Path folder;

    @Test
    void whatIsReadIsWhatWasWritten() {
        Figure time = Figure.measured("s", List.of(3.0, 1.0, 2.0, 5.0, 4.0));
        ResultRow row = new ResultRow(
                Map.of("tokens", "16"), Map.of("time", time, "bytes", Figure.of("bytes", Figure.Kind.COUNTED, 12)));
        ResultFile written = new ResultFile(
                ResultFile.FORMAT,
                "gemm",
                "a title",
                "bench gemm",
                "2026-01-01T00:00:00Z",
                1.5,
                MACHINE,
                null,
                List.of("a note"),
                List.of(row));
        Path file = folder.resolve("results.json");
        written.write(file);
        assertThat(ResultFile.read(file)).isEqualTo(written);
        assertThat(folder).isDirectoryContaining(path -> path.equals(file));
    }

    @Test
    void aFigureIsTheMedianBetweenTheQuarters() {
        Figure figure = Figure.measured("s", List.of(4.0, 1.0, 3.0, 2.0));
        assertThat(List.of(figure.median(), figure.low(), figure.high())).containsExactly(2.5, 1.75, 3.25);
        assertThat(figure.spread()).isEqualTo(0.6);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "[", "[]", "{}", "null", "{\"format\":\"obr-bench/2\"}", "{\"format\":\"obr-bench/1\"}", "7"
            })
    void anythingElseIsRefusedInASentence(String text) throws IOException {
        Path file = Files.writeString(folder.resolve("other.json"), text);
        assertThatThrownBy(() -> ResultFile.read(file))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("other.json");
    }
}
