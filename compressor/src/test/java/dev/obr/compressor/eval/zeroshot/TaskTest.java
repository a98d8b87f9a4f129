package dev.obr.compressor.eval.zeroshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.JsonFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What the model reads, beside what lm-evaluation-harness's templates make of the same questions. */
class TaskTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    private static TaskItem item(Task task, String line) {
        return task.item(JsonFile.parse(line.replace('\'', '"').getBytes(StandardCharsets.UTF_8), "line 1"));
    }

    @Test
    void piqa() {
        TaskItem item =
                item(Task.PIQA, "{'query': 'Question: To sort\\n', 'choices': ['use a sieve', 'wait é🙂'], 'gold': 1}");
        assertThat(item.requests())
                .containsExactly(
                        new Request("Question: To sort\nAnswer:", " use a sieve", 11),
                        new Request("Question: To sort\nAnswer:", " wait é🙂", 7));
        assertThat(item.gold()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(names = {"ARC_EASY", "ARC_CHALLENGE"})
    void arc(Task task) {
        TaskItem item = item(task, "{'query': 'Question: Why?', 'choices': ['a', 'b', 'c'], 'gold': 0}");
        assertThat(item.requests()).hasSize(3).contains(new Request("Question: Why?\nAnswer:", " c", 1));
    }

    @Test
    void boolq() {
        TaskItem item = item(
                Task.BOOLQ,
                "{'query': 'Passage: Rain falls.\\nQuestion: is rain wet?', 'choices': ['no', 'yes'], 'gold': 1}");
        assertThat(item.requests())
                .containsExactly(
                        new Request("Rain falls.\nQuestion: is rain wet?\nAnswer:", " no", 2),
                        new Request("Rain falls.\nQuestion: is rain wet?\nAnswer:", " yes", 3));
    }

    @Test
    void hellaswag() {
        TaskItem item = item(
                Task.HELLASWAG, "{'query': 'Baking: A chef. The pans', 'choices': ['are hot.', 'sing.'], 'gold': 0}");
        assertThat(item.requests())
                .containsExactly(
                        new Request("Baking: A chef. The pans", " are hot.", 8),
                        new Request("Baking: A chef. The pans", " sing.", 5));
    }

    @Test
    void winograndeVariesTheContext() {
        TaskItem item = item(
                Task.WINOGRANDE,
                "{'context_options': ['Ann met Bo so Ann', 'Ann met Bo so Bo'], 'continuation': 'left.', 'gold': 1}");
        assertThat(item.requests())
                .containsExactly(
                        new Request("Ann met Bo so Ann", " left.", 5), new Request("Ann met Bo so Bo", " left.", 5));
    }

    @Test
    void lambadaHasOneContinuation() {
        TaskItem item = item(Task.LAMBADA_OPENAI, "{'context': 'I saw the', 'continuation': 'sea'}");
        assertThat(item.requests()).containsExactly(new Request("I saw the", " sea", 3));
        assertThat(item.gold()).isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "PIQA           | {'choices': ['a', 'b'], 'gold': 0}                       | query is null",
                "PIQA           | {'query': 'q', 'choices': ['a'], 'gold': 0}               | choices is [\"a\"]",
                "PIQA           | {'query': 'q', 'choices': ['a', ''], 'gold': 0}           | choices is",
                "PIQA           | {'query': 'q', 'choices': ['a', 'b'], 'gold': 2}          | gold is 2",
                "PIQA           | {'query': 'q', 'choices': ['a', 'b']}                     | no gold",
                "WINOGRANDE     | {'context_options': 3, 'continuation': 'x', 'gold': 0}    | context_options is 3",
                "LAMBADA_OPENAI | {'context': 'x', 'continuation': 7}                       | continuation is 7"
            })
    void linesThatAreWrongAreNamed(Task task, String line, String sentence) {
        assertThatThrownBy(() -> item(task, line.replace("''", "\"\"")))
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith("line 1")
                .hasMessageContaining(sentence);
    }

    @Test
    void unknownTasksAreToldTheKnownOnes() {
        assertThat(Task.named("arc_easy")).isEqualTo(Task.ARC_EASY);
        assertThatThrownBy(() -> Task.named("mmlu"))
                .isInstanceOf(ObrException.class)
                .hasMessage("There is no task 'mmlu'; take piqa, boolq, hellaswag, arc_easy, arc_challenge, winogrande,"
                        + " lambada_openai");
    }

    @Test
    void aFileIsReadUpToTheLimit() throws IOException {
        String line = "{\"context\": \"a\", \"continuation\": \"b\"}\n";
        Files.writeString(folder.resolve("lambada_openai.jsonl"), line + "\n" + line + "nonsense");
        assertThat(TaskFile.read(folder, Task.LAMBADA_OPENAI, 2)).hasSize(2);
        assertThatThrownBy(() -> TaskFile.read(folder, Task.LAMBADA_OPENAI, 0))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("line 4");
        assertThatThrownBy(() -> TaskFile.read(folder, Task.PIQA, 0))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("piqa.jsonl does not exist");
        Files.writeString(folder.resolve("piqa_small.jsonl"), "\n");
        assertThatThrownBy(() -> TaskFile.read(folder, Task.PIQA, 0)).hasMessageContaining("holds no items");
    }

    @ParameterizedTest
    @EnumSource
    void llmFoundrysFilesAreRead(Task task) {
        Path shared = Path.of(System.getProperty("obr.shared", "../shared"), "data", "zeroshot");
        Assumptions.assumeTrue(Files.isDirectory(shared), "needs the tasks' files in shared");
        assertThat(TaskFile.read(shared, task, 0)).hasSizeGreaterThanOrEqualTo(4);
    }
}
