package dev.obr.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ScaleTest {
    @ParameterizedTest
    @CsvSource({
        "s, 0.00123, 1.23 ms", "s, 1.5e-7, 150 ns", "s, 59, 59.0 s", "s, 1440, 24.0 min", "s, 129600, 36.0 h",
                "bytes, 153900000, 153.9 MB",
        "bytes, 12, 12 bytes", "x, 4.536, 4.54x", "'', 43.486, 43.49", "'', 0.0218, 0.02180", "nats, 0, 0 nats",
                "'', 65536, 65536",
        "tokens/s, 52.61, 52.6 tokens/s", "TOPS, 0.0000123, 1.23e-05 TOPS"
    })
    void aNumberIsShownWithThreeOrFourDigitsInAUnitThatFits(String unit, double value, String shown) {
        assertThat(Scale.of(unit, value).withUnit(value)).isEqualTo(shown);
    }
}
