package dev.obr.compressor.eval.zeroshot;

/**
 * A continuation as the model sees it.
 *
 * @param logProbability sum of ln p over its tokens
 * @param greedy whether each of its tokens is the most probable one
 */
public record Likelihood(double logProbability, boolean greedy) {}
