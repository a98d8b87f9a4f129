package dev.obr.compressor.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.models.Model;
import dev.obr.models.demo.DemoModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CalibrationTest {
    @TempDir
    Path folder;

    private Path write(String name, String content) throws IOException {
        return Files.writeString(folder.resolve(name), content);
    }

    @Test
    void joinsTextsByABlankLine() throws IOException {
        assertThat(CalibrationText.read(write("a.txt", "one\n\ntwo \n")).text()).isEqualTo("one\n\ntwo \n");
        assertThat(CalibrationText.read(write("a.json", "[\"one\", {\"id\": 1, \"text\": \"\"}, \"zwö\"]"))
                        .text())
                .isEqualTo("one\n\n\n\nzwö");
        assertThat(CalibrationText.read(write("a.jsonl", "{\"text\": \"one\"}\r\n\n\"two\"\n"))
                        .text())
                .isEqualTo("one\n\ntwo");
    }

    @Test
    void tokenisesTheWholeTextOnce() throws IOException {
        CalibrationText text = CalibrationText.read(write("a.json", "[\"Once upon\", \"a time\"]"));
        try (Model model = DemoModel.open()) {
            assertThat(text.tokens(model.tokenizer()))
                    .isEqualTo(model.tokenizer().encode("Once upon\n\na time", true));
        }
    }

    @Test
    void saysWhatAFileLacks() throws IOException {
        fails(write("object.json", "{\"text\": \"a\"}"), "is no JSON list of texts");
        fails(write("number.json", "[\"a\", 7]"), ", item 2 is neither a string nor an object");
        fails(write("broken.jsonl", "{\"text\": \"a\"}\n{\"text\""), ", line 2 is not valid JSON");
        fails(write("field.jsonl", "{\"content\": \"a\"}"), ", line 1 is neither a string nor an object");
        fails(folder.resolve("absent.txt"), "does not exist");
        Path latin = folder.resolve("latin.txt");
        Files.write(latin, "é".getBytes(StandardCharsets.ISO_8859_1));
        fails(latin, "is not UTF-8 text");
    }

    private static void fails(Path file, String fault) {
        assertThatThrownBy(() -> CalibrationText.read(file))
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining(fault);
    }

    /** random.seed(0), then randint(0, 1000 - 8 - 1) of CPython 3. */
    @Test
    void drawsWindowsWithinTheContext() {
        int[] tokens = IntStream.range(0, 1000).toArray();
        CalibrationWindows windows = CalibrationWindows.draw(tokens, "text", 3, 2048, 8, 0);
        assertThat(windows.count()).isEqualTo(3);
        assertThat(windows.starts()).containsExactly(864, 394, 776);
        assertThat(windows.window(1)).containsExactly(394, 395, 396, 397, 398, 399, 400, 401);
    }

    @Test
    void saysHowManyTokensAreMissing() {
        assertThatThrownBy(() -> CalibrationWindows.draw(new int[2048], "a.txt", 1, 2048, 4096, 0))
                .isInstanceOf(ObrException.class)
                .hasMessage("a.txt has 2048 tokens, but calibration with windows of 2048 needs at least 2049;"
                        + " give a longer text or a smaller --seqlen");
        assertThat(CalibrationWindows.draw(new int[2049], "a.txt", 1, 2048, 4096, 0)
                        .starts())
                .containsExactly(0);
        assertThatThrownBy(() -> CalibrationWindows.draw(new int[9], "a.txt", 0, 4, 4, 0))
                .hasMessageContaining("not 0 of 4");
    }
}
