package dev.obr.bench.gpu;

/**
 * Takes the time of one repetition.
 *
 * @param <T> what it can run
 */
public interface Stopwatch<T extends Repeated> {
    /** Seconds of one turn, on average over the turns of a repetition. */
    double seconds(T timed);
}
