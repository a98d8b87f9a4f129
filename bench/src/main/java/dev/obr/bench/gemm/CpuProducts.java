package dev.obr.bench.gemm;

import dev.obr.bench.RandomMatrix;
import dev.obr.bench.gpu.Interleaved;
import dev.obr.bench.gpu.ProductRow;
import dev.obr.bench.gpu.ProductSize;
import dev.obr.bench.gpu.Repeated;
import dev.obr.bench.gpu.Sample;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.PackedKernels;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The products of one shape by the CPU's kernels, over all threads of a team, each kind of weights in so many copies that none is still in a cache when its turn comes again: a model of many layers
 * finds its weights in memory, too.
 */
final class CpuProducts implements GemmProducts {
    /** Patterns of packed weights, as they stand in tables. */
    private static final List<Pattern> PATTERNS =
            List.of(Pattern.DENSE, Pattern.TWO_OF_FOUR, Pattern.PAIRS_4_OF_8, Pattern.UNSTRUCTURED);

    private static final float STEP = 0.006f; // of the weights
    private static final long SEED = 1;

    /** What a repetition takes at least: a thousand times what the clock tells apart. */
    private static final double REPETITION_SECONDS = 5e-3;

    private static final double WARM_UP = 0.2; // of the time
    private static final int LEAST_REPETITIONS = 3;
    private static final int MOST_REPETITIONS = 21;

    private final GemmShape shape;
    private final Arena arena = Arena.ofShared();
    private final List<CpuProduct> products = new ArrayList<>();

    /**
     * Makes the weights.
     *
     * @param blas multiplies float32; null leaves that out
     * @param rotatedBytes weights between two uses of one copy
     */
    CpuProducts(GemmShape shape, CpuKernels kernels, @Nullable LinearAlgebra blas, ThreadTeam team, long rotatedBytes) {
        this.shape = shape;
        products.add(new HalfProduct(shape, kernels, team, arena, rotatedBytes));
        if (blas != null) {
            products.add(new BlasProduct(shape, blas, team, rotatedBytes));
        }
        PackedKernels packed = kernels.packed().kernels();
        if (packed != null) {
            for (Pattern pattern : PATTERNS) {
                products.add(new PackedProduct(
                        RandomMatrix.packed(pattern, 4, shape.features(), shape.columns(), STEP, SEED),
                        kernels,
                        packed,
                        team,
                        arena,
                        rotatedBytes));
            }
        }
    }

    @Override
    public Optional<String> refusal(int tokens) {
        long largest = (long) tokens * Math.max(shape.features(), shape.columns());
        long bytes = products.stream()
                .mapToLong(product -> product.activationBytes(tokens))
                .sum();
        long most = Runtime.getRuntime().maxMemory() / 2;
        return largest <= Integer.MAX_VALUE - 8 && bytes <= most
                ? Optional.empty()
                : Optional.of(String.format(
                        Locale.ROOT,
                        "activations and results take %.1f GB, and java may use %.1f GB for them; java -Xmx gives it more",
                        bytes / 1e9,
                        most / 1e9));
    }

    /** One of them with so many turns a repetition. */
    private record Turns(CpuProduct.Ready product, int turns) implements Repeated {
        double seconds() {
            long start = System.nanoTime();
            for (int turn = 0; turn < turns; turn++) {
                product.multiply(turn);
            }
            return (System.nanoTime() - start) / 1e9 / turns;
        }
    }

    @Override
    public List<ProductRow> measure(int tokens, double seconds) {
        try (Arena activations = Arena.ofShared()) {
            List<Turns> variants = new ArrayList<>();
            double round = 0;
            for (CpuProduct product : products) {
                CpuProduct.Ready ready = product.with(tokens, activations);
                double once = new Turns(ready, 1).seconds();
                int turns = (int) Math.ceil(REPETITION_SECONDS / once);
                variants.add(new Turns(ready, turns));
                round += turns * once;
            }
            int repetitions = (int) Math.clamp((1 - WARM_UP) * seconds / round, LEAST_REPETITIONS, MOST_REPETITIONS);
            List<Sample> samples =
                    new Interleaved<>(Turns::seconds, Math.min(0.5, WARM_UP * seconds), repetitions).measure(variants);
            List<ProductRow> rows = new ArrayList<>();
            for (int i = 0; i < products.size(); i++) {
                CpuProduct product = products.get(i);
                rows.add(new ProductRow(
                        new ProductSize(tokens, shape.features(), shape.columns()),
                        null,
                        product.name(),
                        product.reference(),
                        product.weightBytes(),
                        variants.get(i).turns(),
                        samples.get(i)));
            }
            return rows;
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
