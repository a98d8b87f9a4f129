package dev.obr.bench.roofline;

/**
 * A launch of a model's step.
 *
 * @param name what it does there
 * @param times that it is launched a layer: once, or once for each prompt
 * @param launch one of them
 */
public record Part(String name, int times, Modelled launch) {
    /** Of all of them. */
    public double seconds() {
        return times * launch.seconds();
    }
}
