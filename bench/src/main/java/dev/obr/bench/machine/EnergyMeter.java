package dev.obr.bench.machine;

import dev.obr.kernels.ObrException;
import java.nio.file.Path;

/** Counts the energy that a device takes, everything that runs on it included. */
public interface EnergyMeter {
    /** Joules since the meter was made; to be asked more often than its counter overflows, which takes minutes. */
    double joules();

    /** What is counted, e.g. {@code package-0 by RAPL}. */
    String counted();

    /**
     * The meter of what computes.
     *
     * @param device as {@link dev.obr.runtime.LanguageModel#device} says it
     * @throws ObrException saying why there is none
     */
    static EnergyMeter of(String device) {
        if (device.startsWith("cuda")) {
            int colon = device.indexOf(':');
            return NvmlMeter.open(colon < 0 ? 0 : Integer.parseInt(device.substring(colon + 1)));
        }
        return RaplMeter.open(Path.of("/sys/class/powercap"));
    }
}
