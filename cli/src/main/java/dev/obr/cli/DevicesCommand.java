package dev.obr.cli;

import com.sun.management.OperatingSystemMXBean;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.CpuInfo;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code devices}: what this machine can compute with, and what is missing for more. */
@Command(name = "devices", description = "Show what computes here: kernels, processor, memory, GPU.")
final class DevicesCommand implements Callable<Integer> {
    private static final List<String> FASTEST_FIRST = List.of("native", "vector", "scalar");

    private final Console console;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    DevicesCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        CpuKernelsProvider.Request request = CpuKernelsProvider.requested();
        CpuKernelsProvider.Choice choice = CpuKernelsProvider.choose(request, console.environment());
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("chosen", choice.reason());
        for (String name : FASTEST_FIRST) {
            facts.put("  " + name, kernels(request.orFor(name)));
        }
        addNativeSets(request, choice.kernels().name().equals("native"), facts);
        CpuInfo cpu = CpuInfo.read();
        facts.put("processor", cpu.name() + ", " + cpu.cores() + " cores");
        facts.put("caches", caches(cpu));
        facts.put("instructions", String.join(" ", cpu.instructionSets()));
        facts.put("memory", memory());
        facts.put("gpu", GpuProbe.describe());
        facts.put(
                "system",
                System.getProperty("os.name") + " " + System.getProperty("os.arch") + ", Java " + Runtime.version());
        if (json) {
            Map<String, Object> object = new LinkedHashMap<>();
            facts.forEach((name, value) -> object.put(name.strip(), value));
            console.println(JsonOutput.pretty(object));
        } else {
            facts.forEach(this::print);
        }
        return CommandLineApplication.DONE;
    }

    private void print(String name, Object value) {
        if (value instanceof Map<?, ?> table) {
            console.println(name);
            table.forEach((key, text) -> print("  " + key, text));
        } else {
            console.println(String.format("%-13s %s", name, value));
        }
    }

    private String kernels(CpuKernelsProvider.Request request) {
        try {
            CpuKernels kernels =
                    CpuKernelsProvider.choose(request, console.environment()).kernels();
            return "works: " + kernels.instructionSet() + "; "
                    + kernels.packed().reason();
        } catch (ObrException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /** Each instruction set of the native kernels, fastest first; nothing where these cannot be loaded, which the line of the native kernels says. */
    private void addNativeSets(CpuKernelsProvider.Request request, boolean used, Map<String, Object> facts) {
        CpuKernelsProvider.NativeSets sets;
        try {
            sets = CpuKernelsProvider.nativeSets(request.cap(), console.environment());
        } catch (ObrException e) {
            return;
        }
        facts.put("floats", verdicts(sets.floats(), used));
        facts.put("integers", verdicts(sets.integers(), used));
    }

    private static Map<String, String> verdicts(List<CpuKernelsProvider.SetReport> sets, boolean used) {
        Map<String, String> verdicts = new LinkedHashMap<>();
        boolean first = used; // the first that works is the one in use
        for (CpuKernelsProvider.SetReport set : sets) {
            String verdict = !set.works() ? set.verdict() : (first ? "used: " : "works: ") + set.verdict();
            first &= !set.works();
            verdicts.put(set.name(), set.note().isEmpty() ? verdict : verdict + " (" + set.note() + ")");
        }
        return verdicts;
    }

    private static String caches(CpuInfo cpu) {
        StringJoiner levels = new StringJoiner(", ");
        cpu.l1Bytes().ifPresent(bytes -> levels.add("L1 " + (bytes >> 10) + " KiB"));
        cpu.l2Bytes().ifPresent(bytes -> levels.add("L2 " + (bytes >> 10) + " KiB"));
        cpu.l3Bytes().ifPresent(bytes -> levels.add("L3 " + (bytes >> 10) + " KiB"));
        return levels.length() == 0 ? "unknown" : levels.toString();
    }

    private static String memory() {
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        return String.format(
                Locale.ROOT,
                "%.1f GiB, %.1f GiB free",
                system.getTotalMemorySize() / 0x1p30,
                system.getFreeMemorySize() / 0x1p30);
    }
}
