package dev.obr.kernels.gpu.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.emulator.EmulatedDevice;
import dev.obr.kernels.emulator.EmulatedDeviceOptions;
import dev.obr.kernels.emulator.EmulatorOptions;
import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The kernels of compression, masks of every pattern and metric among them, run instruction by instruction, whatever the order of the warps. */
class CompressionSchedulesTest {
    @ParameterizedTest
    @EnumSource
    void resultsAreThoseOfTheTwins(Schedule schedule) {
        EmulatedDeviceOptions options = EmulatedDeviceOptions.checked(ComputeCapability.SM_80)
                .withEmulator(EmulatorOptions.checked().withSchedule(schedule));
        List<KernelCheck> checks = List.of(
                SelectionCase.check(),
                RoundingCase.check(),
                GradientsCase.check(),
                SweepCase.check(),
                DescentCase.check(),
                SoftmaxCase.check());
        try (EmulatedDevice device = new EmulatedDevice(options)) {
            assertThat(new KernelChecker(device, Extent.USUAL).run(checks, verdict -> {}))
                    .hasSize(6)
                    .allSatisfy(verdict -> assertThat(verdict)
                            .returns("", Verdict::says)
                            .returns(Verdict.Outcome.OK, Verdict::outcome));
        }
    }
}
