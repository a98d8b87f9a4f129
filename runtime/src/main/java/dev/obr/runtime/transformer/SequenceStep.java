package dev.obr.runtime.transformer;

/**
 * What a step does for one sequence.
 *
 * @param cache of the sequence; no other of the same step has it
 * @param tokens to append, at least 1, ids below the vocabulary size
 * @param logits [n][vocabularySize] floats to write, what follows each of the last n tokens; an empty array when only the cache matters
 */
public record SequenceStep(KvCache cache, int[] tokens, float[][] logits) {}
