package dev.obr.bench.roofline;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class BlockCostTest {
    @Test
    void aLineIsFoundAndExtended() {
        BlockCost cost = BlockCost.through(sample(8, 100 + 8 * 7), sample(16, 100 + 16 * 7), sample(24, 100 + 24 * 7))
                .orElseThrow();
        assertThat(cost.fixed()).isEqualTo(counts(100, 0));
        assertThat(cost.step()).isEqualTo(counts(7, 1));
        assertThat(cost.of(32)).isEqualTo(counts(100 + 32 * 7, 32));
    }

    @Test
    void whatIsNoLineIsNone() {
        assertThat(BlockCost.through(sample(8, 156), sample(16, 212), sample(24, 269)))
                .isEqualTo(Optional.empty());
    }

    private static BlockCost.Sample sample(int steps, double instructions) {
        return new BlockCost.Sample(steps, counts(instructions, steps));
    }

    private static Counts counts(double instructions, double products) {
        return new Counts(instructions, 0, 0, 0, Map.of("mma", products));
    }
}
