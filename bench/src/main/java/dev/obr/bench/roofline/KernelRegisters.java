package dev.obr.bench.roofline;

import dev.obr.kernels.gpu.ComputeCapability;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Registers of a kernel's threads on each architecture, by NVIDIA's assembler, of CUDA 12.0: registers.csv, which a test writes. */
final class KernelRegisters {
    private static final String RESOURCE = "registers.csv";

    private final Map<String, Integer> registers = new HashMap<>();

    private KernelRegisters() {}

    static KernelRegisters load() {
        try (InputStream in = KernelRegisters.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException("the jar lacks " + RESOURCE);
            }
            KernelRegisters loaded = new KernelRegisters();
            List<String> lines = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            String[] titles = lines.getFirst().split(",", -1);
            for (String line : lines.subList(1, lines.size())) {
                String[] cells = line.split(",", -1);
                for (int i = 1; i < cells.length; i++) {
                    if (!cells[i].isEmpty()) {
                        loaded.registers.put(cells[0] + " " + titles[i], Integer.valueOf(cells[i]));
                    }
                }
            }
            return loaded;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int of(String kernel, ComputeCapability capability) {
        Integer found = registers.get(kernel + " " + capability);
        if (found == null) {
            throw new IllegalStateException(RESOURCE + " has no registers of " + kernel + " on " + capability
                    + ": run KernelRegistersTest, which says what it must hold");
        }
        return found;
    }
}
