package dev.obr.bench.gpu;

/** Something that is measured: one of the variants that are compared. */
public interface Repeated {
    /** Turns of one repetition: as many as make a time that the clock can tell. */
    int turns();
}
