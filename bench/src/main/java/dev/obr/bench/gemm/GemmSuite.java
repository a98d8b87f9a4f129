package dev.obr.bench.gemm;

import dev.obr.bench.gpu.ProductRow;
import dev.obr.kernels.ObrException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.DoubleSupplier;
import java.util.stream.Collectors;

/**
 * Measures shapes and numbers of tokens within a time: each shape has an equal share of what is left, and goes from few tokens to many until a number would take longer than that. Nothing is left
 * out without a word.
 */
public final class GemmSuite {
    /** Whoever waits for the results. */
    public interface Listener {
        /** One number of tokens is measured. */
        void rows(GemmShape shape, int tokens, List<ProductRow> rows);

        /** Something is not measured. */
        void leftOut(String sentence);
    }

    /** Rounds that a case takes at least, those of warming up included. */
    static final int LEAST_ROUNDS = 5;

    /** A case gains little by more. */
    private static final double MOST_SECONDS = 10;

    /** What is measured first, to know what more would take; its rows do not count. */
    private static final int FIRST_TOKENS = 16;

    private final GemmProducts.Factory factory;
    private final DoubleSupplier clock;
    private final Listener listener;

    /** @param clock in seconds */
    public GemmSuite(GemmProducts.Factory factory, DoubleSupplier clock, Listener listener) {
        this.factory = factory;
        this.clock = clock;
        this.listener = listener;
    }

    /**
     * Measures.
     *
     * @param tokens ascending
     * @param budget seconds for all of it; making weights counts
     */
    public void run(List<GemmShape> shapes, List<Integer> tokens, double budget) {
        double end = clock.getAsDouble() + budget;
        for (int i = 0; i < shapes.size(); i++) {
            GemmShape shape = shapes.get(i);
            double now = clock.getAsDouble();
            if (now >= end) {
                listener.leftOut(sentence(shape, tokens, "the time is over"));
                continue;
            }
            double shapeEnd = now + (end - now) / (shapes.size() - i);
            try (GemmProducts products = factory.open(shape)) {
                run(shape, products, tokens, shapeEnd);
            } catch (ObrException e) {
                listener.leftOut(shape.label() + " is left out or ended early: " + e.getMessage());
            }
        }
    }

    private void run(GemmShape shape, GemmProducts products, List<Integer> tokens, double end) {
        int first = Math.min(FIRST_TOKENS, tokens.getFirst());
        double perToken = seconds(products.measure(first, 0)) / first;
        for (int i = 0; i < tokens.size(); i++) {
            int count = tokens.get(i);
            List<Integer> rest = tokens.subList(i, tokens.size());
            Optional<String> refusal = products.refusal(count);
            if (refusal.isPresent()) {
                listener.leftOut(sentence(shape, rest, refusal.get()));
                return;
            }
            double left = end - clock.getAsDouble();
            double needed = LEAST_ROUNDS * perToken * count;
            if (needed > left) {
                listener.leftOut(sentence(
                        shape,
                        rest,
                        String.format(
                                Locale.ROOT,
                                "%d tokens would take about %.1f s, and %.1f s are left of this shape's share of the time",
                                count,
                                needed,
                                Math.max(0, left))));
                return;
            }
            List<ProductRow> rows = products.measure(count, Math.min(MOST_SECONDS, left / rest.size()));
            perToken = seconds(rows) / count;
            listener.rows(shape, count, rows);
        }
    }

    /** Of a round of all variants. */
    private static double seconds(List<ProductRow> rows) {
        return rows.stream().mapToDouble(row -> row.sample().median()).sum();
    }

    private static String sentence(GemmShape shape, List<Integer> tokens, String why) {
        return shape.label() + " with " + tokens.stream().map(String::valueOf).collect(Collectors.joining(", "))
                + " tokens is left out: " + why + ".";
    }
}
