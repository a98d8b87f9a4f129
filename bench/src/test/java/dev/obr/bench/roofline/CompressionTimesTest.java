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
        double flopsOfCalibration = 2.0 * 262144 * (4.0 * 4096 * 4096 + 5.0 * 4096 * 11008 + 2048 * 4096);
        assertThat(row.calibration()).isGreaterThan(32 * flopsOfCalibration / (0.8 * floats) / 3600);
        assertThat(row.calibration()).isLessThan(3 * 32 * flopsOfCalibration / (0.8 * floats) / 3600);
        double flops = (4.0 * 4096 + 2 * 11008) * Math.pow(2048, 3) / 3 + 4096 * Math.pow(5504, 3) / 3;
        assertThat(row.rows()).isGreaterThan(32 * flops / (0.4 * floats) / 3600);
        assertThat(row.rows()).isLessThan(1.6 * 32 * flops / (0.4 * floats) / 3600);
    }

    /** Of each model three ways on each GPU: the faster GPU is faster in each, conjugate gradients are cheaper than factors, and the published method beats its published time by what was set as the goal. */
    @Test
    void isInOrder() {
        List<CompressionTimes.Row> rows = CompressionTimes.all();
        assertThat(rows).hasSize(18);
        for (int i = 0; i < rows.size(); i += 6) {
            for (int way = 0; way < 3; way++) {
                assertThat(rows.get(i + 3 + way).way())
                        .isEqualTo(rows.get(i + way).way());
                assertThat(rows.get(i + 3 + way).total())
                        .isLessThan(rows.get(i + way).total());
            }
            assertThat(rows.get(i).total()).isLessThan(rows.get(i).published());
            assertThat(rows.get(i + 1).rows()).isLessThan(rows.get(i).rows());
        }
        CompressionTimes.Row small = rows.get(1);
        CompressionTimes.Row large = rows.get(13);
        assertThat(small.published() / small.total()).isGreaterThan(4);
        assertThat(large.published() / large.total()).isGreaterThan(10);
    }

    /** Llama-2-70B by obr-plus: 8.6e8 weights a layer travel there and back in each of 120 steps of the mask search, at 6 GB/s. */
    @Test
    void theMaskSearchTravels() {
        CompressionTimes.Row row = CompressionTimes.all().get(14);
        double weights = 2.0 * 8192 * 8192 + 2 * 1024 * 8192 + 3.0 * 28672 * 8192;
        assertThat(row.masks()).isGreaterThan(80 * 120 * 8 * weights / 6e9 / 3600);
        assertThat(row.parameters()).isCloseTo(80 * weights, within(1.0));
    }
}
