package dev.obr.bench.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.gpu.GpuStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The protocol by a clock that shows chosen times. */
class InterleavedTest {
    private static final class Named implements Timed {
        private final String name;

        Named(String name) {
            this.name = name;
        }

        @Override
        public void queue(GpuStream stream, int turn) {}

        @Override
        public int turns() {
            return 10;
        }

        @Override
        public boolean recordable() {
            return true;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private final List<String> measured = new ArrayList<>();

    private List<Sample> measure(double warmUpSeconds, int repetitions, double... shown) {
        Iterator<Double> times = Arrays.stream(shown).boxed().toList().iterator();
        Stopwatch<Named> stopwatch = timed -> {
            measured.add(timed.toString());
            return times.next();
        };
        return new Interleaved<>(stopwatch, warmUpSeconds, repetitions)
                .measure(List.of(new Named("a"), new Named("b")));
    }

    @Test
    void variantsTakeTurnsAndWarmUpDoesNotCount() {
        List<Sample> samples = measure(0, 3, 100, 200, 1, 2, 3, 4, 5, 6);
        assertThat(measured).containsExactly("a", "b", "a", "b", "a", "b", "a", "b");
        assertThat(samples).containsExactly(new Sample(List.of(1.0, 3.0, 5.0)), new Sample(List.of(2.0, 4.0, 6.0)));
    }

    /** Ten turns of 0.1 s and ten of 0.05 s are 1.5 s: two rounds come to 2 s. */
    @Test
    void warmUpGoesOnUntilItsTimeIsOver() {
        List<Sample> samples = measure(2, 1, 0.1, 0.05, 0.1, 0.05, 7, 8);
        assertThat(measured).hasSize(6);
        assertThat(samples).containsExactly(new Sample(List.of(7.0)), new Sample(List.of(8.0)));
    }
}
