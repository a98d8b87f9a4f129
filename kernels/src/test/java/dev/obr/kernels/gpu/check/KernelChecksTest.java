package dev.obr.kernels.gpu.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.emulator.EmulatedDevice;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.check.Verdict.Outcome;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The table of cases, run instruction by instruction as each kind of GPU. */
class KernelChecksTest {
    @Test
    void quickCasesAreRightAsAmpere() {
        checkAll(ComputeCapability.SM_80, Extent.QUICK);
    }

    private static void checkAll(ComputeCapability capability, Extent extent) {
        try (EmulatedDevice device = new EmulatedDevice(capability)) {
            List<Verdict> verdicts = new KernelChecker(device, extent)
                    .run(KernelChecks.all(), v -> System.err.println(System.nanoTime() / 1000000 + " " + v));
            assertThat(verdicts)
                    .allSatisfy(verdict -> assertThat(verdict.says())
                            .isEqualTo(
                                    verdict.outcome() == Outcome.NOT_FOR_DEVICE
                                            ? KernelModule.SPGEMM_S4
                                                    .whyNotOn(device)
                                                    .orElseThrow()
                                            : ""));
        }
    }
}
