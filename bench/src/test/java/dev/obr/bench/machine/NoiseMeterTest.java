package dev.obr.bench.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.bench.results.Machine;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** By a /proc of our own and a loop that shows chosen times. */
class NoiseMeterTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path proc;

    private CpuTimes times(String cores, String process) throws IOException {
        Files.createDirectories(proc.resolve("self"));
        Files.writeString(proc.resolve("stat"), cores);
        Files.writeString(proc.resolve("self/stat"), process);
        return CpuTimes.read(proc).orElseThrow();
    }

    /** Waiting for a disk is idle; a host's theft is not; a guest's time is the user's already. */
    @Test
    void timesAreReadFromTheSystem() throws IOException {
        assertThat(times("""
                        cpu  100 20 30 1000 50 6 7 8 90 10
                        cpu0 1 2 3 4 5 6 7 8 9 10
                        """, "42 (a (strange) name) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"))
                .isEqualTo(new CpuTimes(1221, 171, 11 + 12 + 13 + 14));
    }

    @Test
    void aSystemThatDoesNotSayIsNoError() throws IOException {
        assertThat(CpuTimes.read(proc)).isEmpty();
        Files.createDirectories(proc.resolve("self"));
        Files.writeString(proc.resolve("stat"), "cpu 1 2");
        Files.writeString(proc.resolve("self/stat"), "");
        assertThat(CpuTimes.read(proc)).isEmpty();
        assertThat(noise(List.of(), 1, 1, 1)).isNull();
    }

    @Test
    void othersAreWhatIsBusyAndNotOwn() {
        CpuTimes start = new CpuTimes(1000, 400, 100);
        assertThat(new CpuTimes(2000, 1000, 400).othersSince(start)).isCloseTo(0.3, within(1e-12));
        assertThat(new CpuTimes(2000, 1000, 900).othersSince(start)).isZero();
        assertThat(start.othersSince(start)).isZero();
    }

    @Test
    void noiseIsOtherProgramsAndAnUnevenLoop() {
        CpuTimes start = new CpuTimes(1000, 400, 100);
        CpuTimes quiet = new CpuTimes(2000, 440, 100);
        CpuTimes busy = new CpuTimes(2000, 1000, 400);
        assertThat(noise(List.of(start, quiet), 1, 1.04, 1)).isNull();
        assertThat(noise(List.of(start, busy), 1, 1, 1)).isEqualTo("other programs kept 30 % of the cores busy");
        // between 1 and 1.2, with the median 1.1
        assertThat(noise(List.of(start, quiet), 1, 1.1, 1.2)).isEqualTo("the times of a fixed loop spread by 18 %");
        assertThat(noise(List.of(start, busy), 1, 1.1, 1.2)).contains("other programs", "; ", "a fixed loop");
    }

    private static @Nullable String noise(List<CpuTimes> times, double... seconds) {
        Iterator<CpuTimes> clock = times.iterator();
        int[] at = {0};
        return new NoiseMeter(
                        () -> clock.hasNext() ? Optional.of(clock.next()) : Optional.empty(),
                        () -> seconds[at[0]++ % seconds.length])
                .noise();
    }

    @Test
    void thisMachineIsDescribed() {
        NoiseMeter meter = NoiseMeter.start();
        meter.sample();
        assertThat(meter.noise())
                .satisfiesAnyOf(n -> assertThat(n).isNull(), n -> assertThat(n).isNotBlank());
        Machine machine =
                MachineProbe.probe(CpuKernelsProvider.choose("scalar", Map.of()).kernels(), "a GPU", "1.2.3");
        assertThat(machine)
                .returns("a GPU", Machine::gpu)
                .returns("1.2.3", Machine::product)
                .returns(Runtime.getRuntime().availableProcessors(), Machine::cores);
        assertThat(Arrays.asList(machine.cpu(), machine.instructions(), machine.system(), machine.java()))
                .allSatisfy(text -> assertThat(text).isNotBlank());
    }
}
