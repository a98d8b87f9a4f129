package dev.obr.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Lanes that exchange values. */
class WarpInstructionsTest {
    static Stream<Arguments> everyShuffle() {
        List<Arguments> cases = new ArrayList<>();
        for (String mode : List.of("up", "down", "bfly", "idx")) {
            for (int width : new int[] {32, 16, 8, 2}) {
                for (int by : new int[] {0, 1, 3, 7, 15, 16, 31}) {
                    cases.add(Arguments.of(mode, width, by));
                }
            }
        }
        return cases.stream();
    }

    /** As the CUDA manual describes __shfl_*_sync with a width: the warp falls into pieces, and who would read beyond its piece keeps its own value. */
    @ParameterizedTest
    @MethodSource("everyShuffle")
    void aShuffleStaysInItsPiece(String mode, int width, int by) {
        int clamp = (32 - width << 8) | (mode.equals("up") ? 0 : 31);
        int[] found = new TestKernel("""
                mul.lo.u32 %%r1, %%t, 10;
                shfl.sync.%s.b32 %%r2|%%p1, %%r1, %d, %d, -1;
                @!%%p1 add.s32 %%r2, %%r2, 1000;
                st.global.u32 [%%mine], %%r2;
                """.formatted(mode, by, clamp)).run().ints();
        for (int lane = 0; lane < 32; lane++) {
            int piece = lane / width * width;
            int place = lane - piece;
            int from =
                    switch (mode) {
                        case "up" -> place - by;
                        case "down" -> place + by;
                        case "bfly" -> place ^ by;
                        default -> by % width;
                    };
            boolean inside = from >= 0 && from < width;
            // An exchange with a lower piece is allowed by the hardware.
            int source = mode.equals("bfly") ? lane ^ by : piece + from;
            boolean within = mode.equals("bfly") ? source <= piece + width - 1 : inside;
            assertThat(found[lane]).as("lane " + lane).isEqualTo(within ? source * 10 : lane * 10 + 1000);
        }
    }

    @Test
    void aShuffleOfHalfAWarpNamesIt() {
        int[] found = new TestKernel("""
                setp.lt.u32 %p1, %t, 16;
                @%p1 bra LOW;
                shfl.sync.down.b32 %r1, %t, 1, 31, 0xffff0000;
                bra.uni STORE;
                LOW:
                shfl.sync.bfly.b32 %r1, %t, 15, 31, 0xffff;
                STORE:
                st.global.u32 [%mine], %r1;
                """).run().ints();
        for (int lane = 0; lane < 32; lane++) {
            assertThat(found[lane]).isEqualTo(lane < 16 ? 15 - lane : Math.min(lane + 1, 31));
        }
    }

    @Test
    void aLaneThatDoesNotTakePartCannotBeRead() {
        assertThatThrownBy(() -> new TestKernel("""
                        setp.lt.u32 %p1, %t, 16;
                        @!%p1 bra END;
                        shfl.sync.down.b32 %r1, %t, 4, 31, 0xffff;
                        END:
                        """).run())
                .isInstanceOf(EmulationException.class)
                .hasMessageContaining("reads lane 16, which does not take part")
                .hasMessageContaining("lane 12");
    }

    @Test
    void aLaneMustNameItself() {
        assertThatThrownBy(() -> new TestKernel("shfl.sync.idx.b32 %r1, %t, 0, 31, 1;").run())
                .isInstanceOf(EmulationException.class)
                .hasMessageContaining("does not name the lane itself");
    }

    @Test
    void votesAreCounted() {
        int[] found = new TestKernel("""
                and.b32 %r1, %t, 3;
                setp.eq.u32 %p1, %r1, 2;
                vote.sync.ballot.b32 %r2, %p1, -1;
                vote.sync.any.pred %p2, %p1, -1;
                vote.sync.all.pred %p3, %p1, -1;
                vote.sync.uni.pred %p4, %p1, -1;
                vote.sync.all.pred %p5, !%p3, -1;
                selp.b32 %r3, 1, 0, %p2; selp.b32 %r4, 2, 0, %p3; selp.b32 %r5, 4, 0, %p4; selp.b32 %r6, 8, 0, %p5;
                or.b32 %r3, %r3, %r4; or.b32 %r3, %r3, %r5; or.b32 %r3, %r3, %r6;
                st.global.u32 [%mine], %r2;
                st.global.u32 [%mine+128], %r3;
                activemask.b32 %r7;
                st.global.u32 [%mine+256], %r7;
                """).run().ints();
        for (int lane = 0; lane < 32; lane++) {
            assertThat(found[lane]).isEqualTo(0x44444444);
            assertThat(found[32 + lane]).isEqualTo(1 + 8);
            assertThat(found[64 + lane]).isEqualTo(-1);
        }
    }

    @Test
    void equalsFindEachOther() {
        int[] found = new TestKernel("""
                rem.u32 %r1, %t, 3;
                match.any.sync.b32 %r2, %r1, -1;
                st.global.u32 [%mine], %r2;
                match.all.sync.b32 %r3|%p1, %r1, -1;
                selp.b32 %r4, 1, 0, %p1;
                add.s32 %r3, %r3, %r4;
                st.global.u32 [%mine+128], %r3;
                match.all.sync.b32 %r5|%p2, 7, -1;
                @!%p2 mov.u32 %r5, 5;
                st.global.u32 [%mine+256], %r5;
                """).run().ints();
        for (int lane = 0; lane < 32; lane++) {
            int same = 0;
            for (int other = lane % 3; other < 32; other += 3) {
                same |= 1 << other;
            }
            assertThat(found[lane]).isEqualTo(same);
            assertThat(found[32 + lane]).isZero();
            assertThat(found[64 + lane]).isEqualTo(-1);
        }
    }

    @Test
    void aWarpReduces() {
        int[] found = new TestKernel("""
                sub.s32 %r1, %t, 5;
                redux.sync.add.s32 %r2, %r1, -1; st.global.u32 [%mine], %r2;
                redux.sync.min.s32 %r2, %r1, -1; st.global.u32 [%mine+128], %r2;
                redux.sync.min.u32 %r2, %r1, -1; st.global.u32 [%mine+256], %r2;
                redux.sync.max.u32 %r2, %r1, -1; st.global.u32 [%mine+384], %r2;
                redux.sync.or.b32 %r2, %t, -1; st.global.u32 [%mine+512], %r2;
                redux.sync.xor.b32 %r2, %t, -1; st.global.u32 [%mine+640], %r2;
                """).run().ints();
        int[] expected = {31 * 16 - 5 * 32, -5, 0, -1, 31, 0};
        for (int i = 0; i < expected.length; i++) {
            for (int lane = 0; lane < 32; lane++) {
                assertThat(found[32 * i + lane]).isEqualTo(expected[i]);
            }
        }
    }

    /** A matrix of 8 x 8 halves, 16 bytes a row: lane 4g + t holds row g, columns 2t and 2t + 1, or with .trans column g. */
    @Test
    void matricesAreLoadedByRowsAndByColumns() {
        for (boolean transposed : new boolean[] {false, true}) {
            int[] found = new TestKernel("""
                    mov.u32 %%r1, shared;
                    shl.b32 %%r2, %%t, 4;
                    add.s32 %%r1, %%r1, %%r2;
                    shl.b32 %%r3, %%t, 3;
                    add.s32 %%r4, %%r3, 1; add.s32 %%r5, %%r3, 2; add.s32 %%r6, %%r3, 3; add.s32 %%r7, %%r3, 4;
                    add.s32 %%r8, %%r3, 5; add.s32 %%r9, %%r3, 6; add.s32 %%r10, %%r3, 7;
                    shl.b32 %%r4, %%r4, 16; or.b32 %%r4, %%r4, %%r3;
                    shl.b32 %%r6, %%r6, 16; or.b32 %%r6, %%r6, %%r5;
                    shl.b32 %%r8, %%r8, 16; or.b32 %%r8, %%r8, %%r7;
                    shl.b32 %%r10, %%r10, 16; or.b32 %%r10, %%r10, %%r9;
                    st.shared.v4.u32 [%%r1], {%%r4, %%r6, %%r8, %%r10};
                    bar.warp.sync -1;
                    ldmatrix.sync.aligned.m8n8.x4%s.shared.b16 {%%r11, %%r12, %%r13, %%r14}, [%%r1];
                    st.global.u32 [%%mine], %%r11; st.global.u32 [%%mine+128], %%r12;
                    st.global.u32 [%%mine+256], %%r13; st.global.u32 [%%mine+384], %%r14;
                    """.formatted(transposed ? ".trans" : "")).run().ints();
            for (int matrix = 0; matrix < 4; matrix++) {
                for (int lane = 0; lane < 32; lane++) {
                    int g = lane / 4;
                    int t = lane % 4;
                    int low = 64 * matrix + (transposed ? 8 * (2 * t) + g : 8 * g + 2 * t);
                    int high = 64 * matrix + (transposed ? 8 * (2 * t + 1) + g : 8 * g + 2 * t + 1);
                    assertThat(found[32 * matrix + lane]).isEqualTo(high << 16 | low);
                }
            }
        }
    }
}
