package dev.obr.compressor.eval.zeroshot;

import java.util.List;

/**
 * One question of a task.
 *
 * @param requests one per choice
 * @param gold index of the right one
 */
public record TaskItem(List<Request> requests, int gold) {
    public TaskItem {
        requests = List.copyOf(requests);
    }
}
