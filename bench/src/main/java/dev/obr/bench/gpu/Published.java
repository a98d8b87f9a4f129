package dev.obr.bench.gpu;

import dev.obr.bench.roofline.ProductKernel;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * What the paper on OBR measured on an A100-SXM4-80GB with weights [4096, 4096]: its figure 1b for 65536 tokens, else read off its figure 4, to 3 %. Its sparse weights are random ones on the pattern of the 4-bit
 * instruction, which here is 4:8p, and its results are int32.
 */
public final class Published {
    private static final int EXTENT = 4096;

    /** Milliseconds of half floats, dense and sparse 4-bit weights, by tokens. */
    private static final Map<Integer, double[]> MILLISECONDS = Map.of(
            4096, new double[] {0.55, 0.16, 0.13},
            8192, new double[] {1.3, 0.36, 0.28},
            16384, new double[] {2.5, 0.70, 0.53},
            32768, new double[] {4.45, 1.40, 1.03},
            65536, new double[] {9.54, 2.73, 2.02},
            131072, new double[] {19.1, 4.55, 3.25});

    private Published() {}

    /** Of one product of 4096 x 4096; nothing where the paper has no number. */
    public static OptionalDouble seconds(ProductSize size, ProductKernel kernel) {
        double[] milliseconds = MILLISECONDS.get(size.tokens());
        if (milliseconds == null || size.features() != EXTENT || size.columns() != EXTENT) {
            return OptionalDouble.empty();
        }
        return switch (kernel) {
            case HALF -> OptionalDouble.of(milliseconds[0] / 1e3);
            case DENSE_INT4 -> OptionalDouble.of(milliseconds[1] / 1e3);
            case PAIRS_INT4 -> OptionalDouble.of(milliseconds[2] / 1e3);
            default -> OptionalDouble.empty();
        };
    }
}
