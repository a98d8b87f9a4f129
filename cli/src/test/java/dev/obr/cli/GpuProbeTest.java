package dev.obr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.cuda.CudaGpu;
import dev.obr.kernels.gpu.ComputeCapability;
import org.junit.jupiter.api.Test;

class GpuProbeTest {
    private static String line(ComputeCapability capability) {
        return GpuProbe.line(new CudaGpu(0, "NVIDIA X", capability, 80L << 30, 12040));
    }

    @Test
    void aLineSaysWhichKernelsFit() {
        assertThat(line(ComputeCapability.SM_80))
                .isEqualTo("NVIDIA X, sm_80, 80.0 GiB, driver for CUDA 12.4; kernels s4 and s8");
        assertThat(line(ComputeCapability.SM_89)).endsWith("; kernels s4 and s8");
        assertThat(line(ComputeCapability.SM_90)).endsWith("; kernels s8");
        assertThat(line(new ComputeCapability(12, 0))).endsWith("; not usable, kernels need sm_80 to sm_90");
        assertThat(line(new ComputeCapability(7, 5))).endsWith("; not usable, kernels need sm_80 to sm_90");
    }
}
