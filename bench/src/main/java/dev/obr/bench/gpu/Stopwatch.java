package dev.obr.bench.gpu;

/** Takes the time of one repetition. */
public interface Stopwatch {
    /** Seconds of one turn, on average over the turns of a repetition. */
    double seconds(Timed timed);
}
