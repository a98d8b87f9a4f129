package dev.obr.bench.compare;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** A program with a model, one of those that are measured in turns. */
public interface Contender {
    /** As rows call it, e.g. {@code llama.cpp Q4_0}. */
    String name();

    /** Whether it is this program: its speed is what is related to the others'. */
    boolean ours();

    /** Runs its tests once. */
    Rates measure();

    /**
     * What a turn gave.
     *
     * @param by what computed: program, version, cache
     * @param tokensPerSecond by test, e.g. {@code pp512}, {@code tg}, in the order in which they are shown
     */
    record Rates(String by, Map<String, Double> tokensPerSecond) {
        public Rates {
            tokensPerSecond = Collections.unmodifiableMap(new LinkedHashMap<>(tokensPerSecond));
        }
    }
}
