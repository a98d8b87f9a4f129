package dev.obr.kernels.gpu;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Registers that a kernel's threads have on each architecture, of which follows how many blocks run at once: what NVIDIA's assembler of CUDA 12.0 reports, which a test compares. A driver's own may differ by some. */
public final class KernelRegisters {
    private static final String RESOURCE = "registers.csv";

    private final Map<String, Integer> registers = new HashMap<>();

    private KernelRegisters() {}

    /** Reads the table. */
    public static KernelRegisters load() {
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
                        loaded.registers.put(key(cells[0], titles[i]), Integer.valueOf(cells[i]));
                    }
                }
            }
            return loaded;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String key(String kernel, String architecture) {
        return kernel + " " + architecture;
    }

    /** Of one thread. */
    public int of(String kernel, ComputeCapability capability) {
        Integer found = registers.get(key(kernel, capability.toString()));
        if (found == null) {
            throw new IllegalStateException(RESOURCE + " has no registers of " + kernel + " on " + capability
                    + ": take the table that KernelModuleTest writes");
        }
        return found;
    }
}
