package dev.obr.cli;

import dev.obr.kernels.emulator.LaunchCounters;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What an emulated launch did, for people and for programs. */
final class CounterReport {
    private static final int MOST_OPCODES = 12;
    private static final int MOST_LINES = 8;

    private final LaunchCounters counters;

    CounterReport(LaunchCounters counters) {
        this.counters = counters;
    }

    String text() {
        StringBuilder text = new StringBuilder();
        facts().forEach((name, value) -> text.append(String.format(Locale.ROOT, "%-28s %,14d\n", name, value)));
        counters.mmaByShape()
                .forEach((shape, count) -> text.append(String.format(Locale.ROOT, "  %-26s %,14d\n", shape, count)));
        text.append(String.format("\n%-28s %14s\n", "opcode", "warps ran it"));
        counters.byOpcode().entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
                .limit(MOST_OPCODES)
                .forEach(opcode ->
                        text.append(String.format(Locale.ROOT, "%-28s %,14d\n", opcode.getKey(), opcode.getValue())));
        int rest = counters.byOpcode().size() - MOST_OPCODES;
        if (rest > 0) {
            text.append("and ").append(rest).append(" more\n");
        }
        List<LaunchCounters.Line> worst = counters.worst(MOST_LINES);
        if (!worst.isEmpty()) {
            text.append(String.format("\n%6s %10s %10s  %s\n", "line", "moved", "ideal", "wavefronts and sectors"));
            for (LaunchCounters.Line line : worst) {
                text.append(String.format(
                        Locale.ROOT,
                        "%6d %,10d %,10d  %s\n",
                        line.line(),
                        line.wavefronts() + line.sectors(),
                        line.idealWavefronts() + line.idealSectors(),
                        line.text()));
            }
        }
        return text.toString();
    }

    Map<String, Object> json() {
        Map<String, Object> object = new LinkedHashMap<>();
        facts().forEach((name, value) -> object.put(name.replace(' ', '_'), value));
        object.put("mma_by_shape", counters.mmaByShape());
        object.put("by_opcode", counters.byOpcode());
        object.put("lines", counters.lines());
        return object;
    }

    private Map<String, Long> facts() {
        Map<String, Long> facts = new LinkedHashMap<>();
        facts.put("warp instructions", counters.instructions());
        facts.put("divergent", counters.divergent());
        facts.put("barriers", counters.barriers());
        facts.put("shared wavefronts", counters.sharedWavefronts());
        facts.put("ideal shared wavefronts", counters.idealSharedWavefronts());
        facts.put("global load sectors", counters.globalLoadSectors());
        facts.put("ideal global load sectors", counters.idealGlobalLoadSectors());
        facts.put("global store sectors", counters.globalStoreSectors());
        facts.put("ideal global store sectors", counters.idealGlobalStoreSectors());
        facts.put("global bytes read", counters.globalBytesRead());
        facts.put("global bytes written", counters.globalBytesWritten());
        facts.put("async bytes", counters.asyncBytes());
        facts.put("mma", counters.mma());
        return facts;
    }
}
