package dev.obr.bench.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Counters in a made-up folder. */
class RaplMeterTest {
    @TempDir
    private Path folder;

    private void counter(String name, String label, long microjoules) throws IOException {
        Path each = Files.createDirectories(folder.resolve(name));
        Files.writeString(each.resolve("name"), label + "\n");
        Files.writeString(each.resolve("max_energy_range_uj"), "1000000\n");
        Files.writeString(each.resolve("energy_uj"), microjoules + "\n");
    }

    @Test
    void packagesAreSummedWithoutTheirPartsAndAcrossAnOverflow() throws IOException {
        counter("intel-rapl:0", "package-0", 900_000);
        counter("intel-rapl:1", "package-1", 0);
        counter("intel-rapl:0:0", "core", 5);
        RaplMeter meter = RaplMeter.open(folder);
        assertThat(meter.counted()).isEqualTo("package-0, package-1 by RAPL");
        assertThat(meter.joules()).isZero();
        counter("intel-rapl:0", "package-0", 100_000); // 0.2 J over its end
        counter("intel-rapl:1", "package-1", 500_000);
        counter("intel-rapl:0:0", "core", 999_999);
        assertThat(meter.joules()).isCloseTo(0.7, within(1e-12));
        counter("intel-rapl:1", "package-1", 600_000);
        assertThat(meter.joules()).isCloseTo(0.8, within(1e-12));
    }

    @Test
    void withoutCountersASentenceSaysSo() throws IOException {
        assertThatThrownBy(() -> RaplMeter.open(folder))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("shows no energy counters");
        assertThatThrownBy(() -> RaplMeter.open(folder.resolve("missing")))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("cannot be read");
        counter("intel-rapl:0", "package-0", 1);
        Files.writeString(folder.resolve("intel-rapl:0/energy_uj"), "much");
        assertThatThrownBy(() -> RaplMeter.open(folder))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("cannot be read");
    }
}
