package dev.obr.compressor.eval.zeroshot;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.JsonFile;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The tasks, and how a line of each one's file becomes what the model reads: lm-evaluation-harness's prompts, word for word.
 *
 * <p>Lines are those of MosaicML's llm-foundry: {@code query}, {@code choices} and {@code gold}; {@code context_options}, {@code continuation} and {@code gold} (WinoGrande);
 * {@code context} and {@code continuation} (LAMBADA).
 */
public enum Task {
    /** Everyday physics: "Question: goal\n" and two solutions. */
    PIQA(Task::question, true, false),
    /** Yes or no about a passage: "Passage: passage\nQuestion: question?", of which the harness leaves the first word out. */
    BOOLQ(Task::passage, false, false),
    /** How a scene goes on: a beginning and four ends. */
    HELLASWAG(line -> choices(line.text("query"), line), true, false),
    /** Science questions: "Question: question" and three to five answers. */
    ARC_EASY(Task::question, true, false),
    /** As {@link #ARC_EASY}, those that word statistics do not answer. */
    ARC_CHALLENGE(Task::question, true, false),
    /** Whom a pronoun means: one continuation after two contexts. */
    WINOGRANDE(Task::pronoun, false, false),
    /** The last word of a passage: right if it is the model's own choice, token by token. */
    LAMBADA_OPENAI(Task::lastWord, false, true);

    private final Function<TaskLine, TaskItem> format;
    private final boolean normalised;
    private final boolean greedy;

    Task(Function<TaskLine, TaskItem> format, boolean normalised, boolean greedy) {
        this.format = format;
        this.normalised = normalised;
        this.greedy = greedy;
    }

    /** As lm-evaluation-harness calls it: {@code arc_easy}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether the harness reports {@code acc_norm} besides {@code acc}. */
    public boolean normalised() {
        return normalised;
    }

    /** Whether an item is one text to be hit exactly, and not a choice. */
    public boolean greedy() {
        return greedy;
    }

    /** @throws ObrException naming the tasks that there are */
    public static Task named(String label) {
        return Arrays.stream(values())
                .filter(task -> task.label().equals(label))
                .findFirst()
                .orElseThrow(() -> new ObrException("There is no task '" + label + "'; take "
                        + Arrays.stream(values()).map(Task::label).collect(Collectors.joining(", "))));
    }

    /**
     * The item on one line of the task's file.
     *
     * @throws ObrException naming the field that is missing or wrong
     */
    public TaskItem item(JsonFile line) {
        return format.apply(new TaskLine(line));
    }

    private static TaskItem question(TaskLine line) {
        String query = line.text("query");
        return choices(query + (query.endsWith("\n") ? "" : "\n") + "Answer:", line);
    }

    private static TaskItem passage(TaskLine line) {
        String query = line.text("query");
        String prefix = "Passage: ";
        String passage = query.startsWith(prefix) ? query.substring(prefix.length()) : query;
        return choices(passage + "\nAnswer:", line);
    }

    private static TaskItem choices(String context, TaskLine line) {
        List<String> choices = line.texts("choices");
        return new TaskItem(
                choices.stream().map(choice -> Request.choice(context, choice)).toList(), line.gold(choices.size()));
    }

    private static TaskItem pronoun(TaskLine line) {
        List<String> contexts = line.texts("context_options");
        String continuation = line.text("continuation");
        return new TaskItem(
                contexts.stream()
                        .map(context -> Request.choice(context, continuation))
                        .toList(),
                line.gold(contexts.size()));
    }

    private static TaskItem lastWord(TaskLine line) {
        return new TaskItem(List.of(Request.choice(line.text("context"), line.text("continuation"))), 0);
    }
}
