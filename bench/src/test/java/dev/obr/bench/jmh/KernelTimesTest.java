package dev.obr.bench.jmh;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.kernels.cpu.KernelCases;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** {@code make jmh}: every timed case by every twin that works here, as a table on stdout and in target/jmh.json. Minutes, and no part of the tests. */
@Tag("jmh")
class KernelTimesTest {
    @Test
    void everyCaseByEveryTwin() throws RunnerException {
        Options options = new OptionsBuilder()
                .include(KernelBenchmark.class.getSimpleName())
                .param(
                        "twin",
                        Stream.of("native", "vector", "scalar")
                                .filter(KernelTimesTest::works)
                                .toArray(String[]::new))
                .param(
                        "kernelCase",
                        KernelCases.timed().stream().map(Object::toString).toArray(String[]::new))
                .shouldFailOnError(true)
                .resultFormat(ResultFormatType.JSON)
                .result("target/jmh.json")
                .build();
        assertThat(new Runner(options).run()).isNotEmpty();
    }

    private static boolean works(String twin) {
        try {
            CpuKernelsProvider.choose(twin, System.getenv());
            return true;
        } catch (ObrException e) {
            System.out.println("left out: " + twin + ", as " + e.getMessage());
            return false;
        }
    }
}
