package dev.obr.runtime.transformer;

/**
 * Consecutive rows of a step's activations that belong to one sequence: they stand behind what its cache holds.
 *
 * @param count at least 1
 */
public record SequenceRows(KvCache cache, int count) {}
