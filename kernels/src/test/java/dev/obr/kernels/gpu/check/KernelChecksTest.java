package dev.obr.kernels.gpu.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.obr.kernels.emulator.EmulatedDevice;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.check.Verdict.Outcome;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The table of cases on devices that compute right, and on such that do not. */
class KernelChecksTest {
    private static final List<KernelCheck> EMBED_AND_ARGMAX = List.of(EmbeddingCase.check(), ArgmaxCase.check());

    @Test
    void everyKernelIsChecked() {
        assertThat(KernelChecks.all().stream().map(KernelCheck::module).collect(Collectors.toSet()))
                .isEqualTo(Set.copyOf(Arrays.asList(KernelModule.values())));
        assertThat(KernelChecks.all())
                .allSatisfy(check -> assertThat(check.cases(Extent.QUICK)).isNotEmpty());
    }

    @Test
    void quickCasesAreRightAsAmpere() {
        assertThat(run(ComputeCapability.SM_80, Extent.QUICK, KernelChecks.all()))
                .allSatisfy(verdict ->
                        assertThat(verdict).returns("", Verdict::says).returns(Outcome.OK, Verdict::outcome));
    }

    /** On Hopper the products of 4-bit codes say why they are not run; one other kernel, for the rest are the same instructions. */
    @Test
    void whatIsNotForAGpuSaysWhy() {
        List<KernelCheck> some = KernelChecks.all().stream()
                .filter(check -> check.name().matches("gemm_s4|spgemm_s4|embed"))
                .toList();
        assertThat(run(ComputeCapability.SM_90, Extent.QUICK, some))
                .extracting(Verdict::kernel, Verdict::outcome, Verdict::cases)
                .containsExactly(
                        tuple("spgemm_s4", Outcome.NOT_FOR_DEVICE, 0),
                        tuple("gemm_s4", Outcome.NOT_FOR_DEVICE, 0),
                        tuple("embed", Outcome.OK, 2));
        assertThat(run(ComputeCapability.SM_90, Extent.QUICK, some).getFirst())
                .satisfies(verdict -> assertThat(verdict.says()).contains("sm_90", "use 8-bit activations"))
                .matches(Verdict::passed);
    }

    @Tag("emulator")
    @ParameterizedTest
    @ValueSource(ints = {8, 9})
    void usualCasesAreRight(int major) {
        ComputeCapability capability = new ComputeCapability(major, 0);
        assertThat(run(capability, Extent.USUAL, KernelChecks.all()))
                .allMatch(Verdict::passed)
                .filteredOn(verdict -> verdict.outcome() == Outcome.NOT_FOR_DEVICE)
                .hasSize(major == 8 ? 0 : 2);
    }

    private static List<Verdict> run(ComputeCapability capability, Extent extent, List<KernelCheck> checks) {
        try (EmulatedDevice device = new EmulatedDevice(capability)) {
            return new KernelChecker(device, extent).run(checks, verdict -> {});
        }
    }

    /** A token that the table lacks becomes zeros. */
    @Test
    void aKernelThatComputesSomethingElseIsFound() {
        List<Verdict> verdicts = withDefect("2147450879", "0");
        assertThat(verdicts.getFirst())
                .returns(Outcome.WRONG, Verdict::outcome)
                .returns("3 of 11 rows of 8 columns: token 2, column 0 is 0, not NaN", Verdict::says)
                .returns(false, Verdict::passed);
        assertThat(verdicts.getLast()).as("the next one").returns(Outcome.OK, Verdict::outcome);
    }

    @Test
    void whatIsWrittenBehindTheEndIsFound() {
        Verdict verdict = withDefect("[%rd20], {%r26", "[%rd20+48], {%r26").getFirst();
        assertThat(verdict.outcome()).isEqualTo(Outcome.WRONG);
        assertThat(verdict.says()).contains("token 0, column 0 is");
        try (DeviceData data = new DeviceData(new EmulatedDevice(ComputeCapability.SM_80))) {
            GpuMemory results = data.results(16);
            data.stream().fill(results, 0, 17, (byte) 0);
            assertThat(DeviceData.guard(data.download(results)).firstWrong())
                    .isEqualTo("byte 0 behind the end of the results is 0, not -91");
        }
    }

    /** A read of what is nowhere: a GPU answers nothing more. */
    @Test
    void aLostDeviceEndsTheCheck() {
        try (BrokenDevice broken = new BrokenDevice("embed.ptx", "[%rd13]", "[%rd13+1073741824]")) {
            KernelChecker checker = new KernelChecker(broken.device(), Extent.QUICK);
            List<Verdict> verdicts = checker.run(EMBED_AND_ARGMAX, verdict -> {});
            assertThat(checker.lost()).isTrue();
            assertThat(verdicts).extracting(Verdict::outcome).containsExactly(Outcome.FAILED, Outcome.NOT_REACHED);
            assertThat(verdicts.getFirst().says())
                    .startsWith("3 of 11 rows of 8 columns: ")
                    .contains("embed_f16");
        }
    }

    /** A kernel that cannot be assembled takes nothing with it. */
    @Test
    void aModuleThatIsRefusedFailsAlone() {
        assertThat(withDefect("mul.lo.s64", "mul.low.s64"))
                .extracting(Verdict::outcome)
                .containsExactly(Outcome.FAILED, Outcome.OK);
    }

    private static List<Verdict> withDefect(String written, String instead) {
        try (BrokenDevice broken = new BrokenDevice("embed.ptx", written, instead)) {
            return new KernelChecker(broken.device(), Extent.QUICK).run(EMBED_AND_ARGMAX, verdict -> {});
        }
    }
}
