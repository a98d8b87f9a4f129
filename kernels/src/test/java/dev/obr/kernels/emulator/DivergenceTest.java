package dev.obr.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Lanes that part and meet, barriers, and what never ends. */
class DivergenceTest {
    @ParameterizedTest
    @EnumSource(Schedule.class)
    void lanesOfAnIfMeetAfterIt(Schedule schedule) {
        TestKernel.Result result = new TestKernel("""
                and.b32 %r1, %t, 1;
                setp.eq.u32 %p1, %r1, 0;
                @%p1 bra EVEN;
                mov.u32 %r2, 100;
                bra.uni DONE;
                EVEN:
                mov.u32 %r2, 200;
                DONE:
                shfl.sync.bfly.b32 %r3, %r2, 1, 31, -1;
                st.global.u32 [%mine], %r3;
                """)
                .options(EmulatorOptions.checked().withSchedule(schedule))
                .run();
        assertThat(result.ints()[0]).isEqualTo(100);
        assertThat(result.ints()[1]).isEqualTo(200);
        // mov, bra and mov run with half of the lanes each, nothing else does.
        assertThat(result.counters().divergent()).isEqualTo(3);
    }

    /** The cold path lies at the end of the text and jumps back: by the order of the text alone the others would run away. */
    @Test
    void lanesMeetWhereThePathsDoNotWhereTheTextDoes() {
        TestKernel.Result result = new TestKernel("""
                setp.eq.u32 %p1, %t, 7;
                mov.u32 %r2, 1;
                @%p1 bra COLD;
                JOIN:
                redux.sync.add.u32 %r3, %r2, -1;
                st.global.u32 [%mine], %r3;
                bra.uni END;
                COLD:
                mov.u32 %r2, 1000;
                bra.uni JOIN;
                END:
                """).run();
        assertThat(result.ints()[0]).isEqualTo(1031);
        assertThat(result.counters().divergent()).isEqualTo(2);
    }

    @Test
    void lanesThatLeaveALoopEarlyWaitForTheOthers() {
        TestKernel.Result result = new TestKernel("""
                mov.u32 %r1, 0; mov.u32 %r2, 0;
                LOOP:
                setp.ge.u32 %p1, %r1, %t;
                @%p1 bra FOUND;
                add.s32 %r2, %r2, %r1;
                add.s32 %r1, %r1, 1;
                setp.lt.u32 %p2, %r1, 20;
                @%p2 bra LOOP;
                bra.uni OUT;
                FOUND:
                add.s32 %r2, %r2, 1000;
                OUT:
                redux.sync.max.u32 %r3, %r2, -1;
                st.global.u32 [%mine], %r2;
                st.global.u32 [%mine+128], %r3;
                """).run();
        for (int lane = 0; lane < 32; lane++) {
            int loops = Math.min(lane, 20);
            int wanted = loops * (loops - 1) / 2 + (lane < 20 ? 1000 : 0);
            assertThat(result.ints()[lane]).isEqualTo(wanted);
            assertThat(result.ints()[32 + lane]).isEqualTo(1000 + 19 * 18 / 2);
        }
    }

    @Test
    void lanesMayEndBeforeTheOthersUseABarrier() {
        int[] found = new TestKernel("""
                setp.ge.u32 %p1, %t, 40;
                @!%p1 bra GO;
                st.global.u32 [%mine], 5;
                ret;
                GO:
                bar.sync 0;
                redux.sync.add.u32 %r1, 1, -1;
                st.global.u32 [%mine], %r1;
                """).threads(64).run().ints();
        assertThat(found[0]).isEqualTo(32);
        assertThat(found[39]).isEqualTo(8);
        assertThat(found[40]).isEqualTo(5);
    }

    @Test
    void aTensorProductNeedsTheWholeWarp() {
        assertThatThrownBy(() -> new TestKernel("""
                        setp.eq.u32 %p1, %t, 3;
                        @%p1 bra END;
                        mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%r0, %r1, %r2, %r3}, {%r4, %r5, %r6, %r7}, {%r8, %r9}, {%r0, %r1, %r2, %r3};
                        END:
                        """).run())
                .isInstanceOf(EmulationException.class)
                .hasMessageContaining("mma.sync")
                .hasMessageContaining("3");
    }

    @Test
    void lanesThatWaitForEachOtherAtDifferentPlacesAreAnError() {
        assertThatThrownBy(() -> new TestKernel("""
                        setp.lt.u32 %p1, %t, 16;
                        @%p1 bra LOW;
                        bar.sync 0;
                        bra.uni END;
                        LOW:
                        bar.sync 1;
                        END:
                        """).run())
                .isInstanceOf(EmulationException.class)
                .hasMessageContaining("test, line")
                .hasMessageContaining("has diverged")
                .hasMessageContaining("block (0,0,0), warp 0");
    }

    @Test
    void aBarrierUnderAPredicateOfSomeLanesIsAnError() {
        assertThatThrownBy(() -> new TestKernel("setp.lt.u32 %p1, %t, 16;\n@%p1 bar.sync 0;").run())
                .isInstanceOf(EmulationException.class)
                .hasMessageContaining("lanes 16-31 do not take part");
    }

    @ParameterizedTest
    @EnumSource(Schedule.class)
    void warpsThatWaitForEachOtherAtDifferentBarriersAreAnError(Schedule schedule) {
        assertThatThrownBy(() -> new TestKernel("""
                        setp.lt.u32 %p1, %t, 32;
                        @%p1 bra LOW;
                        bar.sync 1;
                        bra.uni END;
                        LOW:
                        bar.sync 2;
                        END:
                        """)
                        .threads(64)
                        .options(EmulatorOptions.checked().withSchedule(schedule))
                        .run())
                .isInstanceOf(EmulationException.class)
                .hasMessageContaining("wait for ever")
                .hasMessageContaining("warp 0 waits at barrier 2")
                .hasMessageContaining("warp 1 waits at barrier 1");
    }

    @Test
    void aNumberedBarrierIsForSomeWarps() {
        int[] found = new TestKernel("""
                mov.u32 %r1, shared;
                setp.ge.u32 %p1, %t, 64;
                @%p1 bra END;
                shl.b32 %r2, %t, 2; add.s32 %r2, %r2, %r1;
                st.shared.u32 [%r2], %t;
                bar.sync 3, 64;
                xor.b32 %r3, %t, 63; shl.b32 %r3, %r3, 2; add.s32 %r3, %r3, %r1;
                ld.shared.u32 %r4, [%r3];
                st.global.u32 [%mine], %r4;
                END:
                """).threads(128).run().ints();
        for (int i = 0; i < 64; i++) {
            assertThat(found[i]).isEqualTo(63 - i);
        }
    }

    @Test
    void aWarpMayArriveWithoutWaiting() {
        int[] found = new TestKernel("""
                mov.u32 %r1, shared;
                setp.ge.u32 %p1, %t, 32;
                @%p1 bra CONSUMER;
                st.shared.u32 [%r1], 42;
                bar.arrive 1, 64;
                bra.uni END;
                CONSUMER:
                bar.sync 1, 64;
                ld.shared.u32 %r2, [%r1];
                st.global.u32 [%mine], %r2;
                END:
                """).threads(64).run().ints();
        assertThat(found[32]).isEqualTo(42);
    }

    @Test
    void aBarrierCounts() {
        int[] found = new TestKernel("""
                setp.lt.u32 %p1, %t, 10;
                bar.red.popc.u32 %r1, 0, %p1;
                bar.red.or.pred %p2, 0, %p1;
                bar.red.and.pred %p3, 0, %p1;
                selp.b32 %r2, 100, 0, %p2; selp.b32 %r3, 1000, 0, %p3;
                add.s32 %r1, %r1, %r2; add.s32 %r1, %r1, %r3;
                st.global.u32 [%mine], %r1;
                """).threads(96).run().ints();
        assertThat(found[0]).isEqualTo(110);
        assertThat(found[95]).isEqualTo(110);
    }

    /** Lanes spin at the lock before the one that holds it, which comes later in the text, can give it back. */
    @Test
    void aLockOfOneLaneIsGivenBack() {
        int[] found = new TestKernel("""
                SPIN:
                atom.global.cas.b32 %r1, [%out], 0, 1;
                setp.ne.u32 %p1, %r1, 0;
                @%p1 bra SPIN;
                ld.volatile.global.u32 %r2, [%out+4];
                mul.lo.u32 %r2, %r2, 3; add.s32 %r2, %r2, 1;
                st.volatile.global.u32 [%out+4], %r2;
                atom.global.exch.b32 %r3, [%out], 0;
                """).threads(8).run().ints();
        int expected = 1;
        for (int i = 0; i < 8; i++) {
            expected = expected * 3 + 1;
        }
        assertThat(found[1]).isEqualTo(expected);
    }

    @Test
    void anEndlessLoopIsFound() {
        assertThatThrownBy(() -> new TestKernel("LOOP: bra.uni LOOP;")
                        .options(EmulatorOptions.checked().withInstructionLimit(10_000))
                        .run())
                .isInstanceOf(EmulationException.class)
                .hasMessageContaining("endless loop")
                .hasMessageContaining("10000");
    }

    @Test
    void aTrapSaysWhere() {
        assertThatThrownBy(() -> new TestKernel("setp.eq.u32 %p1, %t, 9;\n@%p1 trap;")
                        .threads(64)
                        .blocks(2)
                        .run())
                .isInstanceOfSatisfying(EmulationException.class, e -> {
                    assertThat(e.kernel()).isEqualTo("test");
                    assertThat(e.line()).isEqualTo(16);
                })
                .hasMessageContaining("line 16 \"@%p1 trap;\", block (0,0,0), warp 0, lane 9: the kernel stops itself");
    }

    @Test
    void lanesJumpByATable() {
        int[] found = new TestKernel("""
                rem.u32 %r1, %t, 3;
                TABLE: .branchtargets A, B, C;
                brx.idx %r1, TABLE;
                A: mov.u32 %r2, 10; bra.uni DONE;
                B: mov.u32 %r2, 20; bra.uni DONE;
                C: mov.u32 %r2, 30;
                DONE:
                redux.sync.add.u32 %r3, %r2, -1;
                st.global.u32 [%mine], %r2;
                st.global.u32 [%mine+128], %r3;
                """).run().ints();
        for (int lane = 0; lane < 32; lane++) {
            assertThat(found[lane]).isEqualTo(10 + lane % 3 * 10);
            assertThat(found[32 + lane]).isEqualTo(11 * 10 + 11 * 20 + 10 * 30);
        }
    }

    /** With an odd number of threads the last warp is not whole. */
    @Test
    void theLastWarpMayBeShort() {
        int[] found = new TestKernel("""
                bar.sync 0;
                redux.sync.add.u32 %r1, 1, -1;
                st.global.u32 [%mine], %r1;
                """).threads(45).run().ints();
        assertThat(found[31]).isEqualTo(32);
        assertThat(found[32]).isEqualTo(13);
        assertThat(found[45]).isEqualTo(45);
    }
}
