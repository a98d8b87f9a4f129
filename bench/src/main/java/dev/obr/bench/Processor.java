package dev.obr.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** The CPU of this machine, as Linux describes it in {@code /proc/cpuinfo}; little is known elsewhere. */
public final class Processor {
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

    private Processor() {}

    /** Its name, or the architecture's where that is unknown. */
    public static String name() {
        return field("model name").orElseGet(() -> System.getProperty("os.arch"));
    }

    /** Instruction sets that kernels care about, as the system names them; empty where they are unknown. */
    public static List<String> instructionSets() {
        Set<String> flags = new LinkedHashSet<>(Arrays.asList(
                field("flags").or(() -> field("Features")).orElse("").split(" ")));
        return Stream.of(
                        "sse4_2",
                        "avx",
                        "avx2",
                        "fma",
                        "f16c",
                        "avx512f",
                        "avx512bw",
                        "avx512vl",
                        "avx512_vnni",
                        "avx512_vbmi2",
                        "avx512_bf16",
                        "avx512_fp16",
                        "avx_vnni",
                        "amx_tile",
                        "amx_int8",
                        "amx_bf16",
                        "asimd",
                        "asimdhp",
                        "asimddp",
                        "i8mm",
                        "sve",
                        "sve2")
                .filter(flags::contains)
                .toList();
    }

    private static Optional<String> field(String name) {
        try (Stream<String> lines = Files.lines(CPU_INFO)) {
            return lines.filter(line -> line.startsWith(name))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst();
        } catch (IOException e) {
            return Optional.empty(); // not Linux
        }
    }
}
