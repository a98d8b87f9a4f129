package dev.obr.compressor.pipeline;

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
}
