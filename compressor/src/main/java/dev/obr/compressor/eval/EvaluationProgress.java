package dev.obr.compressor.eval;

/** Follows a long measurement. */
@FunctionalInterface
public interface EvaluationProgress {
    /** Says nothing. */
    EvaluationProgress SILENT = (done, total, soFar) -> {};

    /**
     * @param done windows or items
     * @param total of them
     * @param soFar the result up to here, for people
     */
    void step(int done, int total, String soFar);
}
