package dev.obr.bench.roofline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Times of compressing on a GPU against sums done by hand. */
final class CompressionTimesTest {
    /**
     * Llama-2-7B on an A100, in hours: 32 layers of Hessians, 262144 x (3 x 4096² + 11008²) flops at 0.8 x 19.5 T and 24.4 GB at 6 GB/s; factors of 38,400 rows of 2048 columns
     * (8.4e9/3 flops each) and 4096 of 5504, at 0.4 x 19.5 T.
     */
    @Test
    void llama7b() {
        CompressionTimes.Row row = CompressionTimes.all().getFirst();
        double floats = 128 * 108 * 1.41e9;
        double hessians = 262144.0 * (3 * 4096.0 * 4096 + 11008.0 * 11008) / (0.8 * floats)
                + 4.0 * 262144 * (3 * 4096 + 11008) / 6e9;
        assertThat(row.hessians()).isCloseTo(32 * hessians / 3600, within(1e-6));
        double passes = 2.0 * 262144 * (4.0 * 4096 * 4096 + 5.0 * 4096 * 11008) / (0.8 * floats)
                + 4.0 * 262144 * (4 * 8192 + 5 * 15104) / 6e9;
        assertThat(row.decoder()).isCloseTo(32 * passes / 3600, within(1e-6));
        double flops = (4.0 * 4096 + 2 * 11008) * Math.pow(2048, 3) / 3 + 4096 * Math.pow(5504, 3) / 3;
        assertThat(row.cholesky()).isGreaterThan(32 * flops / (0.4 * floats) / 3600);
        assertThat(row.cholesky()).isLessThan(1.6 * 32 * flops / (0.4 * floats) / 3600);
    }

    /** Never slower than the paper's one factorisation after the other, which takes both stages' and a row at a time; the faster GPU is faster; choosing is no worse. */
    @Test
    void isInOrder() {
        List<CompressionTimes.Row> rows = CompressionTimes.all();
        assertThat(rows).hasSize(6);
        for (int i = 0; i < rows.size(); i += 2) {
            assertThat(rows.get(i).total()).isLessThan(rows.get(i).published());
            assertThat(rows.get(i + 1).total()).isLessThan(rows.get(i).total());
            assertThat(rows.get(i).auto()).isLessThanOrEqualTo(rows.get(i).cholesky());
        }
    }
}
