package dev.obr.bench.roofline;

import java.util.ArrayList;
import java.util.List;

/**
 * The product of the OBR paper's measurements next to the model of ours: weights 4096 x 4096, tokens 32 x L, on an A100-SXM4-80GB (its figures 1b and 4; read off figure 4 to 3 %).
 *
 * <p>They are other kernels: cuBLAS, and CUTLASS with results of 4 bytes, in blocks of 128 x 256 for dense weights and 128 x 128 for sparse ones. Blocks of 128 x 128 of our sparse kernel are modelled, too.
 */
public final class PublishedFigures {
    private static final int SIZE = 4096;
    private static final int SEQUENCES = 32;
    private static final int SQUARE_TOKENS = 1024; // of which our kernel makes blocks of 128 x 128
    private static final List<Integer> LENGTHS = List.of(128, 256, 512, 1024, 2048, 4096);

    /** Milliseconds of figure 4. */
    private static final double[] HALF = {0.55, 1.3, 2.5, 4.45, 9.4, 19.1};

    private static final double[] DENSE = {0.16, 0.36, 0.70, 1.40, 2.25, 4.55};
    private static final double[] SPARSE = {0.13, 0.28, 0.53, 1.03, 1.63, 3.25};

    /**
     * One figure.
     *
     * @param what was measured, and as what it is modelled
     * @param tokens of the product
     * @param publishedMillis measured by the paper's authors
     * @param modelled of our kernel
     */
    public record Figure(String source, String what, int tokens, double publishedMillis, Modelled modelled) {
        public double modelledMillis() {
            return modelled.seconds() * 1e3;
        }

        /** Modelled of published. */
        public double ratio() {
            return modelledMillis() / publishedMillis;
        }
    }

    private PublishedFigures() {}

    /** All of them. */
    public static List<Figure> compare(Roofline roofline) {
        List<Figure> figures = new ArrayList<>();
        add(figures, roofline, "1b", 2048, 9.54, 2.73, 2.02);
        for (int i = 0; i < LENGTHS.size(); i++) {
            add(figures, roofline, "4", LENGTHS.get(i), HALF[i], DENSE[i], SPARSE[i]);
        }
        return figures;
    }

    private static void add(
            List<Figure> figures,
            Roofline roofline,
            String source,
            int length,
            double half,
            double dense,
            double sparse) {
        int tokens = SEQUENCES * length;
        figures.add(new Figure(source, "FP16", tokens, half, product(roofline, ProductKernel.HALF, tokens)));
        figures.add(
                new Figure(source, "INT4 dense", tokens, dense, product(roofline, ProductKernel.DENSE_INT4, tokens)));
        figures.add(
                new Figure(source, "INT4 sparse", tokens, sparse, product(roofline, ProductKernel.PAIRS_INT4, tokens)));
        Product square = new Product(ProductKernel.PAIRS_INT4, SQUARE_TOKENS, SIZE, SIZE, false);
        figures.add(new Figure(
                source,
                "INT4 sparse, 128x128",
                tokens,
                sparse,
                roofline.product(Gpu.A100, square, tokens / SQUARE_TOKENS)));
    }

    private static Modelled product(Roofline roofline, ProductKernel kernel, int tokens) {
        return roofline.product(Gpu.A100, kernel, tokens, SIZE, SIZE);
    }
}
