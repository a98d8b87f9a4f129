package dev.obr.cli;

import com.sun.management.OperatingSystemMXBean;
import dev.obr.bench.Processor;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put(
                "chosen",
                CpuKernelsProvider.choose(CpuKernelsProvider.requested(), console.environment())
                        .reason());
        for (String name : FASTEST_FIRST) {
            facts.put("  " + name, kernels(name));
        }
        facts.put("processor", Processor.name() + ", " + Runtime.getRuntime().availableProcessors() + " cores");
        facts.put("instructions", String.join(" ", Processor.instructionSets()));
        facts.put("memory", memory());
        facts.put("gpu", GpuProbe.describe());
        facts.put(
                "system",
                System.getProperty("os.name") + " " + System.getProperty("os.arch") + ", Java " + Runtime.version());
        if (json) {
            Map<String, String> object = new LinkedHashMap<>();
            facts.forEach((name, value) -> object.put(name.strip(), value));
            console.println(JsonOutput.pretty(object));
        } else {
            facts.forEach((name, value) -> console.println(String.format("%-13s %s", name, value)));
        }
        return CommandLineApplication.DONE;
    }

    private String kernels(String name) {
        try {
            CpuKernels kernels =
                    CpuKernelsProvider.choose(name, console.environment()).kernels();
            return "works: " + kernels.instructionSet() + "; "
                    + kernels.packed().reason();
        } catch (ObrException e) {
            return String.valueOf(e.getMessage());
        }
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
