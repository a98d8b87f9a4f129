package dev.obr.kernels.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The committed PTX is that of the sources, and NVIDIA's assembler makes of it what the sources promise. */
final class KernelModuleTest {
    private static final Path SOURCES = Path.of("src/main/cuda");
    private static final Pattern BUDGET = Pattern.compile("(?m)^\\w+\\((\\w+),.*// registers <= (\\d+)$");
    private static final List<ComputeCapability> ARCHITECTURES =
            List.of(ComputeCapability.SM_80, ComputeCapability.SM_86, ComputeCapability.SM_89, ComputeCapability.SM_90);

    @ParameterizedTest
    @EnumSource
    void theResourceIsThatOfTheSources(KernelModule module) throws IOException, NoSuchAlgorithmException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(Files.readAllBytes(source(module)));
        try (Stream<Path> files = Files.list(SOURCES)) {
            for (Path header : files.filter(file -> file.toString().endsWith(".cuh"))
                    .sorted()
                    .toList()) {
                digest.update(Files.readAllBytes(header));
            }
        }
        assertThat(module.ptx().lines().findFirst())
                .as("sources of %s.ptx; after a change of them, run make ptx", module.label())
                .hasValue("// sources sha256 " + HexFormat.of().formatHex(digest.digest()));
    }

    @Test
    void everySourceHasItsModule() throws IOException {
        try (Stream<Path> files = Files.list(SOURCES)) {
            assertThat(files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".cu")))
                    .containsExactlyInAnyOrderElementsOf(Stream.of(KernelModule.values())
                            .map(module -> module.label() + ".cu")
                            .toList());
        }
    }

    @ParameterizedTest
    @EnumSource
    void driversSinceCuda12ReadIt(KernelModule module) {
        assertThat(module.ptx())
                .containsPattern("(?m)^\\.version (7\\.\\d|8\\.0)$")
                .contains("\n.target sm_80\n");
    }

    @ParameterizedTest
    @EnumSource
    void onlyDevicesThatMultiply4BitIntegersAreAskedTo(KernelModule module) {
        assertThat(module.ptx().contains(".s4.s4.")).isEqualTo(!module.runsOn(ComputeCapability.SM_90));
    }

    static Stream<Arguments> modulesOnTheirArchitectures() {
        return Stream.of(KernelModule.values())
                .flatMap(module -> ARCHITECTURES.stream()
                        .filter(module::runsOn)
                        .flatMap(architecture -> architecture.major() == 9
                                ? Stream.of(architecture.toString(), architecture + "a")
                                : Stream.of(architecture.toString()))
                        .map(architecture -> Arguments.of(module, architecture)));
    }

    @ParameterizedTest
    @MethodSource("modulesOnTheirArchitectures")
    void assemblesWithinItsRegistersAndWithoutSpills(KernelModule module, String architecture) throws IOException {
        PtxAssembler.Assembled assembled = PtxAssembler.assemble(module.ptx(), architecture);
        Map<String, Integer> budgets = budgets(module);
        assertThat(assembled.entries().keySet()).containsExactlyInAnyOrderElementsOf(budgets.keySet());
        assembled.entries().forEach((name, entry) -> {
            assertThat(entry.registers()).as("registers of %s", name).isLessThanOrEqualTo(budgets.get(name));
            assertThat(entry.spilledBytes()).as("spilled bytes of %s", name).isZero();
        });
        assertThat(assembled.names("mma_sub_byte"))
                .as("calls of an emulated product")
                .isFalse();
    }

    /** What the timing model takes as registers; {@code target/registers.csv} is the table as it should be. */
    @Test
    void theTableOfRegistersIsTheAssemblers() throws IOException {
        StringBuilder table = new StringBuilder("entry");
        ARCHITECTURES.forEach(architecture -> table.append(',').append(architecture));
        table.append('\n');
        Map<String, String> rows = new TreeMap<>();
        for (KernelModule module : KernelModule.values()) {
            for (ComputeCapability architecture : ARCHITECTURES) {
                Map<String, PtxAssembler.Entry> entries = module.runsOn(architecture)
                        ? PtxAssembler.assemble(module.ptx(), architecture.toString())
                                .entries()
                        : Map.of();
                entries.keySet().forEach(name -> rows.putIfAbsent(name, ""));
                budgets(module).keySet().forEach(name -> {
                    PtxAssembler.Entry entry = entries.get(name);
                    rows.merge(name, entry == null ? "," : "," + entry.registers(), String::concat);
                });
            }
        }
        rows.forEach((name, cells) -> table.append(name).append(cells).append('\n'));
        Files.createDirectories(Path.of("target"));
        Files.writeString(Path.of("target/registers.csv"), table);
        assertThat(Path.of("src/main/resources/dev/obr/kernels/gpu/registers.csv"))
                .as("the table, to be replaced by kernels/target/registers.csv")
                .hasContent(table.toString());
    }

    /** Registers by entry, as written behind each in the source. */
    private static Map<String, Integer> budgets(KernelModule module) throws IOException {
        Map<String, Integer> budgets = new TreeMap<>();
        BUDGET.matcher(Files.readString(source(module)))
                .results()
                .forEach(entry -> budgets.put(entry.group(1), Integer.valueOf(entry.group(2))));
        return budgets;
    }

    private static Path source(KernelModule module) {
        return SOURCES.resolve(module.label() + ".cu");
    }
}
