package dev.obr.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.cpu.Trial.Outcome;
import dev.obr.kernels.cpu.Trial.Support;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Made-up sets on a made-up machine: each outcome that this one cannot show. */
class TrialTest {
    private record Made(String name, CpuCap level, Support support, boolean wrong) implements KernelSet {
        @Override
        public Facts facts() {
            return new Facts(name, "processor " + name, level, Tested.IN_EMULATION);
        }
    }

    private static final List<Made> SLOWEST_FIRST = List.of(
            new Made("slow", CpuCap.GENERIC, Support.RUNS, false),
            new Made("fast", CpuCap.AVX2, Support.RUNS, false),
            new Made("faulty", CpuCap.AVX2, Support.RUNS, true),
            new Made("other", CpuCap.AVX2, Support.FOREIGN, false),
            new Made("old", CpuCap.AVX2, Support.ABSENT, false),
            new Made("young", CpuCap.AVX512, Support.NOT_COMPILED, false),
            new Made("off", CpuCap.AMX, Support.DISABLED, false),
            new Made("best", CpuCap.AMX, Support.RUNS, false));

    private static List<Trial<String>> trials(CpuCap cap, int most) {
        return Trial.of(SLOWEST_FIRST, cap, most, new Trial.Subject<Made, String>() {
            @Override
            public Support support(Made set) {
                return set.support;
            }

            @Override
            public String bind(Made set) {
                return set.name;
            }

            @Override
            public Optional<String> firstDifference(String kernels) {
                return kernels.equals("faulty") ? Optional.of("1 for 2") : Optional.empty();
            }
        });
    }

    @Test
    void saysWhatBecameOfEachSet() {
        assertThat(trials(CpuCap.AVX512, 9))
                .extracting(Trial::phrase)
                .containsExactly(
                        "capped at avx512",
                        "the system does not enable processor off",
                        "this build was compiled without processor young",
                        "this machine has no processor old",
                        "processor faulty computes wrongly: 1 for 2",
                        "works",
                        "works");
    }

    @Test
    void stopsAtAsManyAsAreWanted() {
        assertThat(Trial.usable(trials(CpuCap.NONE, 1))).containsExactly("best");
        assertThat(trials(CpuCap.NONE, 1)).hasSize(1);
        assertThat(Trial.usable(trials(CpuCap.AVX512, 1))).containsExactly("fast");
        assertThat(Trial.usable(trials(CpuCap.AVX2, 9))).containsExactly("fast", "slow");
        assertThat(Trial.usable(trials(CpuCap.GENERIC, 9))).containsExactly("slow");
    }

    @Test
    void repeatsTheRefusalsThatAreAskedForUpToTheCap() {
        assertThat(refusals(CpuCap.NONE))
                .containsExactly(
                        "the system does not enable processor off", "processor faulty computes wrongly: 1 for 2");
        assertThat(refusals(CpuCap.AVX512)).containsExactly("processor faulty computes wrongly: 1 for 2");
    }

    private static List<String> refusals(CpuCap cap) {
        return Trial.refusals(trials(cap, 9), cap, Outcome.WRONG, Outcome.DISABLED);
    }
}
