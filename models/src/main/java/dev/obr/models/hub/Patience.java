package dev.obr.models.hub;

import java.time.Duration;

/**
 * When to try again, and when to give up.
 *
 * @param attempts how often something may fail in a row; data that arrives begins a new count
 * @param firstWait after the first failure; doubled after each further one
 * @param longestWait that a server may ask for
 * @param silence how long a server may say nothing
 */
public record Patience(int attempts, Duration firstWait, Duration longestWait, Duration silence) {
    public static final Patience DEFAULT =
            new Patience(5, Duration.ofSeconds(1), Duration.ofMinutes(5), Duration.ofSeconds(30));
}
