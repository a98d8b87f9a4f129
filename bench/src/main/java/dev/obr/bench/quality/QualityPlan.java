package dev.obr.bench.quality;

import dev.obr.compressor.eval.zeroshot.Task;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What all models of a comparison have in common.
 *
 * @param model that they are made from
 * @param calibration text that they are calibrated on
 * @param samples windows of it
 * @param seqlen tokens of a window
 * @param text that they are measured on
 * @param context tokens of one of its windows; 0 takes the protocol's own
 * @param windows of it at most; 0 takes all
 * @param tasks zero-shot tasks; none is usual
 * @param tasksFolder where they lie; null without tasks
 * @param items of each task at most; 0 takes all
 * @param speedTokens that are generated to measure the speed; 0 measures none
 * @param threads 0 is one per core
 */
public record QualityPlan(
        Path model,
        Path calibration,
        int samples,
        int seqlen,
        Path text,
        int context,
        int windows,
        List<Task> tasks,
        @Nullable Path tasksFolder,
        int items,
        int speedTokens,
        int threads) {
    /** The seed of rotation, masks and calibration. */
    static final long SEED = 0;

    public QualityPlan {
        tasks = List.copyOf(tasks);
    }

    /** What a compressed model depends on. */
    String compression() {
        return model + " | " + calibration + " " + samples + " x " + seqlen + " | seed " + SEED;
    }

    /** What a measurement depends on, beside the model. */
    String evaluation() {
        return compression() + " | " + text + " " + windows + " x " + context + " | " + tasks + " " + items + " | "
                + speedTokens;
    }
}
