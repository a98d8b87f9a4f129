package dev.obr.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is counted, against counts by hand. */
class CountersTest {
    /** A warp stores with a stride of so many words of shared memory. */
    @ParameterizedTest
    @CsvSource({"0, 1", "1, 1", "2, 2", "4, 4", "8, 8", "32, 32", "33, 1", "31, 1", "3, 1", "16, 16"})
    void banksConflictByStride(int stride, long wavefronts) {
        LaunchCounters counters = new TestKernel("""
                mov.u32 %%r1, shared; mul.lo.u32 %%r2, %%t, %d; add.s32 %%r2, %%r2, %%r1;
                st.shared.u32 [%%r2], 1;
                """.formatted(4 * stride)).run().counters();
        assertThat(counters.sharedWavefronts()).isEqualTo(wavefronts);
        assertThat(counters.idealSharedWavefronts()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({
        // bytes a lane, stride in bytes, wavefronts, ideal
        "v2.u32, 8, 2, 2",
        "v2.u32, 16, 4, 2",
        "v4.u32, 16, 4, 4",
        "v4.u32, 32, 8, 4",
        "v4.u32, 48, 4, 4",
        "v4.u32, 128, 32, 4",
        "v4.u32, 0, 4, 4",
        "u32, 4, 1, 1"
    })
    void wideLanesAreServedInPhases(String type, int stride, long wavefronts, long ideal) {
        String registers = type.startsWith("v4") ? "{%t, %t, %t, %t}" : type.startsWith("v2") ? "{%t, %t}" : "%t";
        LaunchCounters counters = new TestKernel("""
                mov.u32 %%r1, shared; mul.lo.u32 %%r2, %%t, %d; add.s32 %%r2, %%r2, %%r1;
                mov.u32 %%t, 5;
                st.shared.%s [%%r2], %s;
                """.formatted(stride, type, registers)).run().counters();
        assertThat(counters.sharedWavefronts()).isEqualTo(wavefronts);
        assertThat(counters.idealSharedWavefronts()).isEqualTo(ideal);
    }

    @ParameterizedTest
    @CsvSource({
        // stride in bytes, offset, sectors, ideal
        "4, 0, 4, 4",
        "4, 4, 5, 4",
        "8, 0, 8, 4",
        "32, 0, 32, 4",
        "64, 0, 32, 4",
        "0, 0, 1, 1",
        "-4, 128, 5, 4"
    })
    void sectorsAreThoseThatAreTouched(int stride, int offset, long sectors, long ideal) {
        LaunchCounters counters = new TestKernel("""
                mul.lo.s32 %%r1, %%t, %d; cvt.s64.s32 %%x1, %%r1; add.s64 %%x1, %%x1, %%out;
                ld.global.u32 %%r2, [%%x1+%d];
                """.formatted(stride, offset)).run().counters();
        assertThat(counters.globalLoadSectors()).isEqualTo(sectors);
        assertThat(counters.idealGlobalLoadSectors()).isEqualTo(ideal);
        assertThat(counters.globalStoreSectors()).isZero();
        assertThat(counters.globalBytesRead()).isEqualTo(128);
    }

    @Test
    void instructionsAreCountedByOpcodeAndLine() {
        LaunchCounters counters = new TestKernel("""
                mov.u32 %r1, 0;
                LOOP:
                add.s32 %r1, %r1, 1;
                setp.lt.u32 %p1, %r1, 10;
                @%p1 bra LOOP;
                bar.sync 0;
                mul.lo.u32 %r2, %t, 32; cvt.u64.u32 %x1, %r2; add.s64 %x1, %x1, %out;
                st.global.u32 [%x1], %r1;
                """).threads(64).blocks(1).run().counters();
        assertThat(counters.byOpcode())
                .containsEntry("setp.lt.u32", 20L)
                .containsEntry("bra", 20L)
                .containsEntry("add.s32", 20L)
                .containsEntry("ret", 2L)
                .containsEntry("st.global.u32", 2L);
        assertThat(counters.barriers()).isEqualTo(2);
        assertThat(counters.mma()).isZero();
        assertThat(counters.divergent()).isZero();
        assertThat(counters.instructions())
                .isEqualTo(counters.byOpcode().values().stream().mapToLong(Long::longValue).sum());
        assertThat(counters.worst(5)).singleElement().satisfies(line -> {
            assertThat(line.text()).isEqualTo("st.global.u32 [%x1], %r1;");
            assertThat(line.line()).isEqualTo(22);
            assertThat(line.excess()).isEqualTo(2 * (32 - 4));
        });
    }

    @Test
    void sumsOfLaunchesAddUp() {
        TestKernel kernel = new TestKernel("st.global.u32 [%mine], %t;").blocks(3);
        LaunchCounters one = kernel.run().counters();
        LaunchCounters two = one.plus(kernel.run().counters());
        assertThat(two.instructions()).isEqualTo(2 * one.instructions());
        assertThat(two.lines()).hasSameSizeAs(one.lines());
        assertThat(two.globalBytesWritten()).isEqualTo(2 * 3 * 128);
        assertThat(LaunchCounters.none().plus(one).lines()).isEqualTo(one.lines());
    }

    @Test
    void threadsOfTheHostChangeNothing() {
        TestKernel kernel = new TestKernel("""
                rem.u32 %r1, %i, 7; setp.gt.u32 %p1, %r1, 3;
                @%p1 bra SKIP;
                mul.lo.u32 %r2, %r1, %r1; st.global.u32 [%mine], %r2;
                SKIP:
                """).blocks(16).threads(64);
        TestKernel.Result one = kernel.run();
        TestKernel.Result three =
                kernel.options(EmulatorOptions.checked().withThreads(3)).run();
        assertThat(three.ints()).isEqualTo(one.ints());
        assertThat(three.counters().lines()).isEqualTo(one.counters().lines());
    }
}
