package dev.obr.kernels.cpu;

import dev.obr.kernels.HostSettings;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The processor as its system describes it, for people: on Linux from /proc and /sys; elsewhere what the JVM knows, the rest empty.
 *
 * @param model marketing name
 * @param cores logical processors that this JVM may use
 * @param l1Bytes data cache of the first core
 * @param l2Bytes its second level
 * @param l3Bytes its third level, shared
 * @param memoryBytes main memory, or the container's limit
 * @param instructionSets those that matter to kernels, e.g. {@code avx2}, {@code avx512_vnni}, {@code asimddp}
 */
public record CpuInfo(
        Optional<String> model,
        int cores,
        OptionalLong l1Bytes,
        OptionalLong l2Bytes,
        OptionalLong l3Bytes,
        long memoryBytes,
        List<String> instructionSets) {
    private static final Pattern MODEL = Pattern.compile("(?m)^(?:model name|Hardware)\\s*:\\s*(.+)$");
    private static final Pattern FLAGS = Pattern.compile("(?m)^(?:flags|Features)\\s*:\\s*(.+)$");
    private static final Pattern OF_INTEREST = Pattern.compile(
            "avx|avx2|fma|f16c|avx512\\w*|avx_vnni|amx_\\w+|asimd|asimddp|fphp|asimdhp|sve|sve2|i8mm|bf16");

    public CpuInfo {
        instructionSets = List.copyOf(instructionSets);
    }

    /** Its marketing name, or the architecture where that is unknown. */
    public String name() {
        return model.orElseGet(HostSettings::osArch);
    }

    /** Of this machine. */
    public static CpuInfo read() {
        long memory =
                ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean os
                        ? os.getTotalMemorySize()
                        : 0;
        return read(Path.of("/"), Runtime.getRuntime().availableProcessors(), memory);
    }

    /** Of the machine whose file system starts at {@code root}. */
    static CpuInfo read(Path root, int cores, long memoryBytes) {
        String cpuinfo = text(root.resolve("proc/cpuinfo")).orElse("");
        Path caches = root.resolve("sys/devices/system/cpu/cpu0/cache");
        return new CpuInfo(
                first(MODEL, cpuinfo),
                cores,
                cache(caches, 1),
                cache(caches, 2),
                cache(caches, 3),
                memoryBytes,
                first(FLAGS, cpuinfo).stream()
                        .flatMap(flags -> Arrays.stream(flags.split(" ")))
                        .filter(flag -> OF_INTEREST.matcher(flag).matches())
                        .toList());
    }

    private static Optional<String> first(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        return matcher.find() ? Optional.of(matcher.group(1).strip()) : Optional.empty();
    }

    /** The data or unified cache of that level. */
    private static OptionalLong cache(Path caches, int level) {
        for (int index = 0; index < 8; index++) {
            Path cache = caches.resolve("index" + index);
            if (text(cache.resolve("level")).equals(Optional.of(Integer.toString(level)))
                    && !text(cache.resolve("type")).equals(Optional.of("Instruction"))) {
                return text(cache.resolve("size")).map(CpuInfo::bytes).orElse(OptionalLong.empty());
            }
        }
        return OptionalLong.empty();
    }

    /** {@code 32K}, {@code 8M}. */
    private static OptionalLong bytes(String size) {
        Matcher matcher = Pattern.compile("(\\d{1,12})([KMG]?)").matcher(size.toUpperCase(Locale.ROOT));
        if (!matcher.matches()) {
            return OptionalLong.empty();
        }
        int shift = 10 * " KMG".indexOf(matcher.group(2).isEmpty() ? " " : matcher.group(2));
        return OptionalLong.of(Long.parseLong(matcher.group(1)) << shift);
    }

    /** Empty where the system has no such file or does not let us read it: what it would say is then unknown. */
    private static Optional<String> text(Path file) {
        try {
            return Optional.of(Files.readString(file).strip());
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
