package dev.obr.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** cp.async: nothing has come before it is waited for. */
class AsyncCopyTest {
    /** Each thread copies 16 bytes in each of three groups. */
    private static String stages(int waitFor, String between, String read) {
        return """
                mov.u32 %%r1, shared; shl.b32 %%r2, %%t, 4; add.s32 %%r1, %%r1, %%r2;
                mul.wide.u32 %%x1, %%t, 16; add.s64 %%x1, %%x1, %%out;
                cp.async.cg.shared.global [%%r1], [%%x1], 16; cp.async.commit_group;
                cp.async.cg.shared.global.L2::128B [%%r1+1024], [%%x1+1024], 16; cp.async.commit_group;
                cp.async.ca.shared.global [%%r1+2048], [%%x1+2048], 16; cp.async.commit_group;
                cp.async.wait_group %d;
                %s
                %s
                st.global.u32 [%%mine], %%r4;
                """.formatted(waitFor, between, read);
    }

    @Test
    void theOldestGroupsComeFirst() {
        int[] found = new TestKernel(stages(1, "bar.sync 0;", "xor.b32 %r3, %r1, 512; ld.shared.u32 %r4, [%r3+1028];"))
                .threads(64)
                .run()
                .ints();
        for (int i = 0; i < 64; i++) {
            assertThat(found[i]).isEqualTo((i ^ 32) * 4 + 256 + 1);
        }
    }

    @Test
    void aGroupThatWasNotWaitedForHasNotCome() {
        assertThatThrownBy(() -> new TestKernel(stages(2, "bar.sync 0;", "ld.shared.u32 %r4, [%r1+1028];"))
                        .threads(64)
                        .run())
                .isInstanceOf(EmulationException.class)
                .hasMessageContaining("still to come by line 18 \"cp.async.cg.shared.global.L2::128B")
                .hasMessageContaining("has not waited for that group");
    }

    @Test
    void withoutABarrierItHasComeForItsOwnThreadOnly() {
        new TestKernel(stages(1, "", "ld.shared.u32 %r4, [%r1+1028];")).threads(64).run();
        assertThatThrownBy(() -> new TestKernel(
                                stages(1, "", "xor.b32 %r3, %r1, 512; ld.shared.u32 %r4, [%r3+1028];"))
                        .threads(64)
                        .run())
                .isInstanceOf(EmulationException.class)
                .hasMessageContaining("shared byte");
    }

    @Test
    void aStageThatIsStillReadCannotBeOverwritten() {
        String body = """
                mov.u32 %%r1, shared; shl.b32 %%r2, %%t, 4; add.s32 %%r1, %%r1, %%r2; xor.b32 %%r3, %%r1, 512;
                mul.wide.u32 %%x1, %%t, 16; add.s64 %%x1, %%x1, %%out;
                cp.async.cg.shared.global [%%r1], [%%x1], 16; cp.async.wait_all;
                bar.sync 0;
                ld.shared.u32 %%r4, [%%r3];
                %s
                cp.async.cg.shared.global [%%r1], [%%x1], 16; cp.async.wait_all;
                """;
        new TestKernel(body.formatted("bar.sync 0;")).threads(64).run();
        assertThatThrownBy(() -> new TestKernel(body.formatted("")).threads(64).run())
                .isInstanceOf(EmulationException.class)
                .hasMessageContaining("with no barrier between");
    }

    @Test
    void whatIsNotCopiedIsZero() {
        int[] found = new TestKernel("""
                mov.u32 %r1, shared; shl.b32 %r2, %t, 4; add.s32 %r1, %r1, %r2;
                mul.wide.u32 %x1, %t, 16; add.s64 %x1, %x1, %out;
                min.u32 %r3, %t, 16;
                setp.eq.u32 %p1, %t, 31;
                mov.u64 %x2, 0; selp.b64 %x1, %x2, %x1, %p1; selp.b32 %r3, 0, %r3, %p1;
                cp.async.ca.shared.global [%r1], [%x1], 16, %r3;
                cp.async.commit_group; cp.async.wait_group 0;
                ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [%r1];
                mul.wide.u32 %x3, %t, 16; add.s64 %x3, %x3, %out;
                bar.warp.sync -1;
                st.global.v4.u32 [%x3], {%r4, %r5, %r6, %r7};
                """).run().ints();
        for (int t = 0; t < 32; t++) {
            int bytes = t == 31 ? 0 : Math.min(t, 16);
            for (int word = 0; word < 4; word++) {
                int kept = Math.clamp(bytes - 4 * word, 0, 4);
                int mask = kept == 4 ? -1 : (1 << 8 * kept) - 1;
                assertThat(found[4 * t + word]).isEqualTo(4 * t + word & mask);
            }
        }
    }

    @Test
    void bytesAreCounted() {
        TestKernel.Result result = new TestKernel(stages(0, "", "ld.shared.u32 %r4, [%r1+1028];")).threads(64).run();
        assertThat(result.counters().asyncBytes()).isEqualTo(3 * 64 * 16);
        assertThat(result.counters().globalLoadSectors()).isEqualTo(3 * 64 * 16 / 32);
        assertThat(result.counters().globalBytesRead()).isEqualTo(3 * 64 * 16);
    }
}
