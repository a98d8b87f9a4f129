package dev.obr.runtime.transformer;

/** Takes the logits of many positions of a sequence, in order, a block at a time: all of a chunk's would be 260 MB where the vocabulary is large. */
@FunctionalInterface
public interface LogitRows {
    /** Most rows of a block. */
    int BLOCK = 64;

    /**
     * @param index of the first row's token among the tokens of the step
     * @param logits [1 to {@link #BLOCK}] rows of [vocabularySize], each what the model says after one token; the receiver's to keep
     */
    void accept(int index, float[][] logits);
}
