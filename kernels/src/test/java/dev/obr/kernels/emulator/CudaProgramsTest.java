package dev.obr.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** CUDA programs that the emulator was not written for (src/test/cuda), compared with results computed here, under every schedule. */
class CudaProgramsTest {
    /** Those that are compiled without optimisation too. */
    private static final Set<String> UNOPTIMISED =
            Set.of("reduce", "scan", "interpreter", "divergence", "functions", "local", "votes", "search");

    static Stream<CudaProgram> everyProgram() {
        return Stream.of(CollectivePrograms.all(), FlowPrograms.all(), ArithmeticPrograms.all(), MatrixPrograms.all())
                .flatMap(List::stream)
                .flatMap(program -> UNOPTIMISED.contains(program.module())
                        ? Stream.of(program, program.of(program.module() + "_unoptimised"))
                        : Stream.of(program));
    }

    static Stream<Arguments> everyProgramAndSchedule() {
        return everyProgram()
                .flatMap(program -> Stream.of(Schedule.values()).map(schedule -> Arguments.of(program, schedule)));
    }

    @ParameterizedTest
    @MethodSource("everyProgramAndSchedule")
    void givesWhatJavaGives(CudaProgram program, Schedule schedule) {
        LaunchCounters counters = program.run(EmulatorOptions.checked().withSchedule(schedule));
        assertThat(counters.instructions()).isPositive();
    }

    /** Only where thread blocks wait for what others change does their order show. */
    @ParameterizedTest
    @MethodSource("everyProgram")
    void threadsOfTheHostChangeNothing(CudaProgram program) {
        LaunchCounters alone = program.run(EmulatorOptions.checked());
        LaunchCounters together = program.run(EmulatorOptions.checked().withThreads(3));
        if (!program.module().equals("atomics")) {
            assertThat(together.lines()).isEqualTo(alone.lines());
            assertThat(together.byOpcode()).isEqualTo(alone.byOpcode());
            assertThat(together.mmaByShape()).isEqualTo(alone.mmaByShape());
        }
    }

    /** A module's variables live as long as it does. */
    @Test
    void variablesOfTheModuleOutliveALaunch() {
        PtxModule module = CudaProgram.parse("tables");
        CudaProgram tables = FlowPrograms.all().stream()
                .filter(program -> program.module().equals("tables"))
                .findFirst()
                .orElseThrow();
        GlobalMemory memory = new GlobalMemory();
        Emulator emulator = new Emulator(EmulatorOptions.checked());
        tables.run(module, emulator.options());
        try (Arena arena = Arena.ofShared()) {
            MemorySegment found = arena.allocate(4);
            memory.map(4096, found, false);
            emulator.launch(
                    module.kernel("read_counter"),
                    LaunchShape.of(1, 1, 0),
                    List.of(new KernelArguments.Argument(4096, 8)),
                    memory);
            assertThat(found.get(ValueLayout.JAVA_INT, 0)).isEqualTo(64);
        }
    }

    @Test
    void aFunctionThatCallsItselfIsRefused() {
        assertThatThrownBy(() -> CudaProgram.parse("recursion"))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("recursion.ptx")
                .hasMessageContaining("ackermann")
                .hasMessageContaining("calls itself");
    }

    /** Whoever changes a program compiles it: make -C kernels/src/test/cuda. */
    @Test
    void theProgramsAreCompiledFromTheirSources() throws Exception {
        Path sources = Path.of("src/test/cuda");
        List<String> sums = new ArrayList<>();
        try (Stream<Path> files = Files.list(sources)) {
            for (Path file : files.filter(file -> file.toString().endsWith(".cu"))
                    .sorted()
                    .toList()) {
                byte[] hash = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
                sums.add(HexFormat.of().formatHex(hash) + "  " + file.getFileName());
            }
        }
        assertThat(Files.readAllLines(Path.of("src/test/resources/dev/obr/kernels/emulator/sources.sha256")))
                .isEqualTo(sums);
    }
}
