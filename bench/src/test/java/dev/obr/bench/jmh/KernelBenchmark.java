package dev.obr.bench.jmh;

import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.kernels.cpu.KernelCase;
import dev.obr.kernels.cpu.KernelCases;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** One case of {@link KernelCases#timed} by one twin, on one thread. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@SuppressWarnings("NullAway.Init") // JMH calls prepare
public class KernelBenchmark {
    /** {@code native}, {@code vector} or {@code scalar}. */
    @Param("native")
    public String twin;

    /** As the case writes itself; {@link KernelTimesTest} gives all of them. */
    @Param("")
    public String kernelCase;

    private Arena arena;
    private CpuKernels kernels;
    private KernelCase.Prepared prepared;

    /** Makes the operands. */
    @Setup
    public void prepare() {
        arena = Arena.ofConfined();
        kernels = CpuKernelsProvider.choose(twin, System.getenv()).kernels();
        prepared = KernelCases.timed().stream()
                .filter(known -> known.toString().equals(kernelCase))
                .findFirst()
                .orElseThrow()
                .prepare(arena);
    }

    /** What is timed. */
    @Benchmark
    public MemorySegment run() {
        return prepared.run(kernels);
    }

    /** Gives the operands back. */
    @TearDown
    public void close() {
        arena.close();
    }
}
