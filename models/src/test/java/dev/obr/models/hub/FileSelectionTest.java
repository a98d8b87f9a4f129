package dev.obr.models.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.models.hub.RepositoryListing.Entry;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Which of a repository's files are a model; in lists as real repositories have them. */
class FileSelectionTest {
    private static final ModelReference MODEL = ModelReference.parse("org/name");

    static Stream<Arguments> chosen() {
        return Stream.of(
                of(
                        ".gitattributes LICENSE README.md config.json logo.png model.safetensors modeling.py tokenizer.json",
                        "",
                        "LICENSE README.md config.json model.safetensors tokenizer.json"),
                of(
                        "config.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors model.safetensors.index.json consolidated.safetensors",
                        "",
                        "config.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors model.safetensors.index.json"),
                of("config.json model.safetensors model.fp16.safetensors", "", "config.json model.safetensors"),
                of("params.json consolidated.safetensors", "", "params.json consolidated.safetensors"),
                of("config.json model.safetensors pytorch_model.bin", "", "config.json model.safetensors"),
                of(
                        "config.json model.safetensors original/params.json onnx/model.safetensors",
                        "",
                        "config.json model.safetensors"),
                of("README.md m-Q8_0.gguf", "", "README.md m-Q8_0.gguf"),
                of("a-00001-of-00002.gguf a-00002-of-00002.gguf", "", "a-00001-of-00002.gguf a-00002-of-00002.gguf"),
                of("config.json model.safetensors m-Q8_0.gguf", "", "config.json model.safetensors"),
                of(
                        "config.json model.safetensors obr-report.json tokenizer.gguf",
                        "",
                        "config.json model.safetensors obr-report.json tokenizer.gguf"),
                of("m-Q4_K_M.gguf m-Q8_0.gguf README.md", "*Q8_0.gguf", "m-Q8_0.gguf"),
                of("a.json b/a.json c.txt", "*.json c.txt a.json", "a.json b/a.json c.txt"),
                of("a+b(1).json a.json", "a+b(1).json", "a+b(1).json"),
                of("a.json evil.pkl", "*", "a.json"));
    }

    private static Arguments of(String files, String patterns, String expected) {
        return Arguments.of(files, patterns, expected);
    }

    @ParameterizedTest
    @MethodSource
    void chosen(String files, String patterns, String expected) {
        assertThat(choose(files, patterns)).extracting(Entry::path).containsExactly(expected.split(" ", -1));
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                of("config.json pytorch_model.bin", "", "pytorch_model.bin are Python pickles"),
                of("config.json consolidated.00.pth", "", "consolidated.00.pth are Python pickles"),
                of("config.json model.safetensors a.pt", "a.pt", "a.pt are Python pickles"),
                of("config.json model.safetensors a.pkl", "*.pkl", "are never fetched; look for"),
                of("a.gguf b.gguf", "", "has 2 GGUF files; choose with --file: a.gguf, b.gguf"),
                of("a.json run.py", "run.py", "run.py are of no kind that a model is read from"),
                of("a.json", "*.gguf", "has no file '*.gguf'; it has a.json"),
                of("a.json sub/b.gguf", "", "has neither safetensors nor GGUF files in its top folder"));
    }

    @ParameterizedTest
    @MethodSource
    void refused(String files, String patterns, String sentence) {
        assertThatThrownBy(() -> choose(files, patterns))
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith("org/name")
                .hasMessageContaining(sentence);
    }

    private static List<Entry> choose(String files, String patterns) {
        List<Entry> entries = Stream.of(files.split(" ", -1))
                .map(path -> new Entry(path, 1, null))
                .toList();
        return new FileSelection(MODEL, entries)
                .choose(patterns.isEmpty() ? List.of() : List.of(patterns.split(" ", -1)));
    }
}
