package dev.obr.compressor.pipeline;

import java.util.function.Consumer;

/** Hears how far a compression is. */
public interface CompressionProgress {
    /** A step within the decoder layer at hand, {@code done} of {@code total} samples calibrated. */
    void calibrated(int layer, String step, int done, int total);

    /** A linear layer is done. */
    void compressed(LinearReport report);

    /** A decoder layer is done and on disk. */
    void finished(int layer, int layers);

    /** Something that a user should know. */
    void note(String sentence);

    /** Lets {@code notes} hear what a user should know and when a decoder layer is done; of the rest nothing. */
    static CompressionProgress to(Consumer<String> notes) {
        return new CompressionProgress() {
            @Override
            public void calibrated(int layer, String step, int done, int total) {}

            @Override
            public void compressed(LinearReport report) {}

            @Override
            public void finished(int layer, int layers) {
                notes.accept("layer " + (layer + 1) + " of " + layers + " is compressed");
            }

            @Override
            public void note(String sentence) {
                notes.accept(sentence);
            }
        };
    }
}
