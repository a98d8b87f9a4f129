package dev.obr.compressor.obr;

/**
 * How far an iterative solution may be from the exact one.
 *
 * @param relativeExcess the layer's loss exceeds that of the exact solution by at most this share
 * @param iterations of the rows that took most
 */
public record Certificate(double relativeExcess, int iterations) {}
