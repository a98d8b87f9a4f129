package dev.obr.bench.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.bench.roofline.ProductKernel;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is made of times, by numbers that were computed by hand. */
class ProductTableTest {
    private static final ProductSize PAPER = new ProductSize(65536, 4096, 4096);

    private static ProductRow row(
            ProductSize size, @Nullable ProductKernel kernel, long weightBytes, Double... seconds) {
        String name = kernel == null ? "FP16, a library's" : kernel.label();
        boolean reference = kernel == null || kernel == ProductKernel.HALF;
        return new ProductRow(size, kernel, name, reference, weightBytes, 1, new Sample(List.of(seconds)));
    }

    /** Sorted 1 2 3 5 9: quarters at 2 and 5. Of 1 2 3 4: at 1.75 and 3.25. */
    @Test
    void medianAndSpread() {
        Sample odd = new Sample(List.of(9.0, 1.0, 3.0, 2.0, 5.0));
        assertThat(odd.median()).isEqualTo(3);
        assertThat(odd.spread()).isEqualTo(1);
        Sample even = new Sample(List.of(4.0, 3.0, 2.0, 1.0));
        assertThat(even.median()).isEqualTo(2.5);
        assertThat(even.spread()).isEqualTo(0.6);
        assertThat(new Sample(List.of(7.0)).spread()).isZero();
    }

    /** The paper's own numbers: 2.199e12 operations in 9.54 ms are 230.5 TOPS, in 2.02 ms 1088.6, 4.72 times as many; 32 MiB against 5 are 6.4. */
    @Test
    void operationsSpeedupAndMemory() {
        ProductRow half = row(PAPER, ProductKernel.HALF, 32L << 20, 9.54e-3);
        ProductRow sparse = row(PAPER, ProductKernel.PAIRS_INT4, 5L << 20, 2.02e-3);
        assertThat(PAPER.operations()).isEqualTo(2199023255552.0);
        assertThat(half.tera()).isCloseTo(230.506, within(1e-3));
        assertThat(sparse.tera()).isCloseTo(1088.625, within(1e-3));
        assertThat(sparse.speedup(half)).isCloseTo(4.7228, within(1e-4));
        assertThat(sparse.memoryRatio()).isEqualTo(6.4);
        assertThat(sparse.weightGigabytes()).isCloseTo(2.5955, within(1e-4));
    }

    @Test
    void linesLabelWhatIsNotMeasured() {
        ProductTable table = new ProductTable((size, kernel) -> OptionalDouble.of(1e-3));
        List<String> lines = table.lines(List.of(
                row(PAPER, ProductKernel.HALF, 32L << 20, 9.54e-3),
                row(PAPER, null, 32L << 20, 8e-3),
                row(PAPER, ProductKernel.PAIRS_INT4, 5L << 20, 2e-3)));
        assertThat(cells(ProductTable.HEADER.getFirst())).contains("modelled µs", "published µs, A100");
        assertThat(cells(lines.get(0)))
                .containsExactly(
                        "65536", "fp16", "9540.00", "0.0%", "230.5", "0.84", "3.5", "33.55", "1.00", "1000.00",
                        "9540.00");
        assertThat(cells(lines.get(1))).as("a library's").endsWith("");
        assertThat(lines.get(1)).contains("8000.00").doesNotContain("1000.00");
        assertThat(cells(lines.get(2)))
                .as("four times the fastest of half floats")
                .contains("4.00", "2020.00");
        assertThat(lines).allSatisfy(line -> assertThat(line).hasSameSizeAs(ProductTable.HEADER.getFirst()));
    }

    private static List<String> cells(String line) {
        return List.of(line.substring(1, line.length() - 1).split("\\|")).stream()
                .map(String::strip)
                .toList();
    }

    @Test
    void valuesAreThoseOfTheLines() {
        ProductSize other = new ProductSize(1, 4096, 4096);
        assertThat(new ProductTable(ProductModel.NONE)
                        .values(List.of(row(other, ProductKernel.HALF, 32L << 20, 2e-5, 3e-5))))
                .singleElement()
                .satisfies(values -> assertThat(values)
                        .containsEntry("median_seconds", 2.5e-5)
                        .containsEntry("speedup_over_fp16", 1.0)
                        .containsEntry("seconds", List.of(2e-5, 3e-5))
                        .doesNotContainKeys("modelled_seconds", "published_a100_seconds"));
    }

    /** A GPU whose peaks are known has a model; a driver's other names have none. */
    @Test
    void theModelIsOfTheGpuThatIsMeasured() {
        assertThat(ProductModel.of("NVIDIA A100-SXM4-80GB")
                        .orElseThrow()
                        .seconds(new ProductSize(1, 4096, 4096), ProductKernel.PAIRS_INT4)
                        .orElseThrow())
                .isBetween(1e-6, 1e-4);
        assertThat(ProductModel.of("NVIDIA GeForce GTX 1080")).isEmpty();
    }
}
