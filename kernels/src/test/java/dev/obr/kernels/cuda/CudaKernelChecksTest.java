package dev.obr.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.gpu.check.Extent;
import dev.obr.kernels.gpu.check.KernelChecker;
import dev.obr.kernels.gpu.check.KernelChecks;
import dev.obr.kernels.gpu.check.Verdict;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Every kernel on a GPU; skipped, saying why, where there is none. */
class CudaKernelChecksTest {
    @Test
    void kernelsComputeWhatTheirTwinsDo() {
        CudaDevices.Probe probe = CudaDevices.probe();
        Assumptions.assumeFalse(probe.gpus().isEmpty(), probe.refusal());
        try (CudaDevice gpu = CudaDevice.open(0)) {
            assertThat(new KernelChecker(gpu, Extent.DEVICE).run(KernelChecks.all(), verdict -> {}))
                    .allMatch(Verdict::passed);
        }
    }
}
