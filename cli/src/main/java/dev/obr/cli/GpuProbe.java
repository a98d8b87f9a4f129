package dev.obr.cli;

import dev.obr.kernels.cuda.CudaDevices;
import dev.obr.kernels.cuda.CudaGpu;
import dev.obr.kernels.gpu.ComputeCapability;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** The GPUs of this machine as {@code devices} shows them. Asking loads the driver's binding, which no other verb needs. */
final class GpuProbe {
    private GpuProbe() {}

    /** A line for each GPU by its index, or one line that says why there is none. */
    static Object describe() {
        CudaDevices.Probe probe = CudaDevices.probe();
        if (probe.gpus().isEmpty()) {
            return "none: " + probe.refusal();
        }
        Map<String, String> lines = new LinkedHashMap<>();
        probe.gpus().forEach(gpu -> lines.put(String.valueOf(gpu.index()), line(gpu)));
        return lines;
    }

    static String line(CudaGpu gpu) {
        return String.format(
                Locale.ROOT,
                "%s, %s, %.1f GiB, driver for CUDA %s; %s",
                gpu.name(),
                gpu.capability(),
                gpu.totalBytes() / 0x1p30,
                gpu.cudaVersion(),
                kernels(gpu.capability()));
    }

    /** Which set of kernels fits: 4-bit sparse products where the tensor cores have them, 8-bit ones from Hopper on. */
    private static String kernels(ComputeCapability capability) {
        if (capability.compareTo(ComputeCapability.SM_80) < 0 || capability.major() > 9) {
            return "not usable, kernels need sm_80 to sm_90";
        }
        return capability.multipliesInt4() ? "kernels s4 and s8" : "kernels s8";
    }
}
