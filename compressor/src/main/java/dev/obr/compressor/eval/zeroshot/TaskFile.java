package dev.obr.compressor.eval.zeroshot;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.JsonFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The items of a task: {@code TASK.jsonl} in a folder, one JSON object a line. Where only {@code TASK_small.jsonl} is there, a sample of the task, that is taken. */
public final class TaskFile {
    private TaskFile() {}

    /**
     * @param limit most items; 0 takes all
     * @throws ObrException if the file is missing or a line of it wrong
     */
    public static List<TaskItem> read(Path folder, Task task, int limit) {
        Path file = folder.resolve(task.label() + ".jsonl");
        Path sample = folder.resolve(task.label() + "_small.jsonl");
        if (!Files.exists(file) && Files.exists(sample)) {
            file = sample;
        }
        if (!Files.exists(file)) {
            throw new ObrException(file + " does not exist; name the folder that holds it with --tasks-dir DIR, or"
                    + " leave " + task.label() + " out of --tasks");
        }
        List<TaskItem> items = new ArrayList<>();
        int number = 0;
        for (String line : new String(JsonFile.readBytes(file), StandardCharsets.UTF_8).split("\n", -1)) {
            number++;
            if (limit > 0 && items.size() == limit) {
                break;
            }
            if (!line.isBlank()) {
                items.add(task.item(JsonFile.parse(line.getBytes(StandardCharsets.UTF_8), file + ", line " + number)));
            }
        }
        if (items.isEmpty()) {
            throw new ObrException(file + " holds no items; copy it again from where it came from");
        }
        return items;
    }
}
