package dev.obr.bench.gemm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.bench.gpu.ProductRow;
import dev.obr.bench.gpu.ProductSize;
import dev.obr.bench.gpu.Sample;
import dev.obr.kernels.ObrException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What fits a time, by a clock that goes forward by what the products are said to take. */
class GemmSuiteTest {
    private static final GemmShape A = new GemmShape(64, 64);
    private static final GemmShape B = new GemmShape(128, 64);

    private final List<String> measured = new ArrayList<>();
    private final List<String> leftOut = new ArrayList<>();
    private double now;

    /** A token takes a tenth of a second. */
    private final class Slow implements GemmProducts {
        private final GemmShape shape;

        Slow(GemmShape shape) {
            this.shape = shape;
        }

        @Override
        public Optional<String> refusal(int tokens) {
            return tokens > 1000 ? Optional.of("there is no room") : Optional.empty();
        }

        @Override
        public List<ProductRow> measure(int tokens, double seconds) {
            now += Math.max(seconds, 0.5 * tokens);
            ProductSize size = new ProductSize(tokens, shape.features(), shape.columns());
            return List.of(new ProductRow(size, null, "slow", true, 1, 1, new Sample(List.of(0.1 * tokens))));
        }

        @Override
        public void close() {}
    }

    private void run(double budget, Integer... tokens) {
        GemmProducts.Factory factory = new GemmProducts.Factory() {
            @Override
            public GemmProducts open(GemmShape shape) {
                return new Slow(shape);
            }

            @Override
            public List<String> notes() {
                return List.of();
            }
        };
        run(factory, budget, tokens);
    }

    private void run(GemmProducts.Factory factory, double budget, Integer... tokens) {
        GemmSuite.Listener listener = new GemmSuite.Listener() {
            @Override
            public void rows(GemmShape shape, int count, List<ProductRow> rows) {
                measured.add(shape.label() + " " + count);
            }

            @Override
            public void leftOut(String sentence) {
                leftOut.add(sentence);
            }
        };
        new GemmSuite(factory, () -> now, listener).run(List.of(A, B), List.of(tokens), budget);
    }

    @Test
    void enoughTimeMeasuresAll() {
        run(1000, 1, 16, 256);
        assertThat(measured).containsExactly("64x64 1", "64x64 16", "64x64 256", "128x64 1", "128x64 16", "128x64 256");
        assertThat(leftOut).isEmpty();
    }

    /** 16 tokens need 8 s at least, and each shape has 5 s; 1 token is measured twice, the first time to know how long more take. */
    @Test
    void whatTakesLongerThanAShapesShareIsLeftOutAndSaid() {
        run(10, 1, 16, 256);
        assertThat(measured).containsExactly("64x64 1", "128x64 1");
        assertThat(leftOut).hasSize(2);
        assertThat(leftOut.getFirst())
                .startsWith("64x64 with 16, 256 tokens is left out: 16 tokens would take about 8.0 s, and ")
                .endsWith(" s are left of this shape's share of the time.");
        assertThat(now).isLessThanOrEqualTo(10);
    }

    @Test
    void whatHasNoRoomIsLeftOutAndSaid() {
        run(1e6, 1, 2000);
        assertThat(measured).containsExactly("64x64 1", "128x64 1");
        assertThat(leftOut).contains("64x64 with 2000 tokens is left out: there is no room.");
    }

    @Test
    void aShapeWithoutWeightsLeavesTheOthers() {
        GemmProducts.Factory factory = new GemmProducts.Factory() {
            @Override
            public GemmProducts open(GemmShape shape) {
                if (shape.equals(A)) {
                    throw new ObrException("no memory");
                }
                return new Slow(shape);
            }

            @Override
            public List<String> notes() {
                return List.of();
            }
        };
        run(factory, 100, 1);
        assertThat(leftOut).containsExactly("64x64 is left out or ended early: no memory");
        assertThat(measured).containsExactly("128x64 1");
    }
}
