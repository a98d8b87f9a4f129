package dev.obr.compressor.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextFileTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    private Path file(String name, String content) throws IOException {
        return Files.writeString(folder.resolve(name), content);
    }

    @Test
    void plainTextIsReadAsItIs() throws IOException {
        assertThat(TextFile.read(file("a.raw", " é\n\n[1]\n"))).isEqualTo(" é\n\n[1]\n");
    }

    @Test
    void listsAndLinesAreJoined() throws IOException {
        assertThat(TextFile.read(file("a.json", "[\"one\", {\"text\": \"two\\n\"}]")))
                .isEqualTo("one\n\ntwo\n");
        assertThat(TextFile.read(file("a.jsonl", "{\"text\": \"one\", \"id\": 3}\n\n\"two\"\n")))
                .isEqualTo("one\n\ntwo");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a.json  | {\"text\": \"x\"}  | is not a JSON list",
                "a.json  | [\"x\"             | is not valid JSON",
                "a.json  | [\"x\", 3]         | element 2 is 3",
                "a.jsonl | {\"words\": \"x\"} | line 1 is {\"words\":\"x\"}",
                "a.jsonl | x                  | line 1 is not valid JSON"
            })
    void otherContentIsNamed(String name, String content, String sentence) throws IOException {
        Path file = file(name, content);
        assertThatThrownBy(() -> TextFile.read(file))
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining(sentence);
    }

    @Test
    void filesThatCannotBeReadAreNamed() throws IOException {
        Path latin1 = Files.write(folder.resolve("l.txt"), "é".getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> TextFile.read(latin1)).hasMessageContaining("is not UTF-8");
        assertThatThrownBy(() -> TextFile.read(folder.resolve("no-such")))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("does not exist");
        assertThatThrownBy(() -> TextFile.read(folder)).hasMessageContaining("is a folder");
    }
}
