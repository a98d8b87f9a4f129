package dev.obr.bench.gpu;

import dev.obr.bench.roofline.ProductKernel;
import org.jspecify.annotations.Nullable;

/**
 * One variant of one product, measured.
 *
 * @param kernel that the timing model knows; none of a library's
 * @param name of the variant
 * @param reference whether it is what others are compared with: a dense product of floats, by whatever library
 * @param weightBytes that are read once a product
 * @param turns products of a repetition
 */
public record ProductRow(
        ProductSize size,
        @Nullable ProductKernel kernel,
        String name,
        boolean reference,
        long weightBytes,
        int turns,
        Sample sample) {
    /** 10^12 operations a second, as of dense weights. */
    public double tera() {
        return size.operations() / sample.median() / 1e12;
    }

    /** 10^9 bytes of the weight a second. */
    public double weightGigabytes() {
        return weightBytes / sample.median() / 1e9;
    }

    /** How many times smaller than as half floats. */
    public double memoryRatio() {
        return 2.0 * size.features() * size.columns() / weightBytes;
    }

    /** How many times faster than {@code other}. */
    public double speedup(ProductRow other) {
        return other.sample.median() / sample.median();
    }
}
