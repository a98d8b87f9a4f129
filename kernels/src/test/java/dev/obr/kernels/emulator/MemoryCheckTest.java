package dev.obr.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each way to misuse memory is an error that says where and what, under each schedule; and what only looks like it is none. */
class MemoryCheckTest {
    private static final String SHARED_ADDRESS = "mov.u32 %r1, shared; shl.b32 %r2, %t, 2; add.s32 %r3, %r1, %r2;\n";

    private record Misuse(String what, String body, int threads, String... message) {
        @Override
        public String toString() {
            return what;
        }
    }

    private static final List<Misuse> MISUSES = List.of(
            new Misuse(
                    "beyond the end",
                    "ld.global.u32 %r1, [%out+4096];",
                    32,
                    "reads 4 bytes at 0x101000",
                    "no region",
                    "[0x100000, 0x101000)"),
            new Misuse("across the end", "ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%out+4088];", 1, "misaligned"),
            new Misuse("null", "mov.u64 %x1, 0; st.global.u32 [%x1], %t;", 1, "writes 4 bytes at 0x0", "null pointer"),
            new Misuse("misaligned", "ld.global.u32 %r1, [%out+2];", 1, "0x100002", "misaligned"),
            new Misuse("misaligned vector", "ld.global.v2.u32 {%r1, %r2}, [%out+4];", 1, "8 bytes is misaligned"),
            new Misuse(
                    "outside of shared memory",
                    "st.shared.u32 [shared+4096], %t;",
                    1,
                    "0x1000",
                    "4096 bytes of shared memory"),
            new Misuse(
                    "shared, nobody wrote",
                    "ld.shared.u32 %r1, [shared+16];",
                    1,
                    "shared address 0x10",
                    "nobody has written"),
            new Misuse(
                    "shared, half written",
                    "mov.u16 %h1, 1; st.shared.u16 [shared], %h1; ld.shared.u32 %r1, [shared];",
                    1,
                    "nobody has written"),
            new Misuse("update of nothing", "atom.shared.add.u32 %r1, [shared], 1;", 1, "nobody has written"),
            new Misuse(
                    "read without a barrier",
                    SHARED_ADDRESS + "st.shared.u32 [%r3], %t; xor.b32 %r4, %r3, 128; ld.shared.u32 %r5, [%r4];",
                    64,
                    "no barrier between|nobody has written"),
            new Misuse(
                    "write after a read without a barrier",
                    SHARED_ADDRESS
                            + "st.shared.u32 [%r3], %t; bar.sync 0; xor.b32 %r4, %r3, 128; ld.shared.u32 %r5, [%r4]; st.shared.u32 [%r3], %r5;",
                    64,
                    "has read with no barrier between|has written at line"),
            new Misuse(
                    "two warps write",
                    "st.shared.u32 [shared], 7;",
                    64,
                    "writes the shared byte 0x0 that warp",
                    "has written at line 15",
                    "no barrier between"),
            new Misuse(
                    "barriers of other warps",
                    warpsOf(
                            "st.shared.u32 [shared], 1; bar.sync 1, 64;",
                            "bar.sync 1, 64;",
                            "bar.sync 2, 64; ld.shared.u32 %r5, [shared];",
                            "bar.sync 2, 64;"),
                    128,
                    "no barrier between|nobody has written"),
            new Misuse(
                    "lanes disagree",
                    "st.global.u32 [%out], %t;",
                    32,
                    "lanes 0 and 1 store different values to the address 0x100000"),
            new Misuse(
                    "lanes disagree in shared memory",
                    "st.shared.u32 [shared+8], %t;",
                    32,
                    "lanes 0 and 1 store different values"),
            new Misuse("warps write one place", "st.global.u32 [%out], 1;", 64, "has written with no barrier between"),
            new Misuse(
                    "atomic and plain",
                    "st.shared.u32 [shared], 0; bar.warp.sync -1; atom.shared.add.u32 %r1, [shared], 1;",
                    64,
                    "no barrier between"),
            new Misuse("parameters", "ld.param.u64 %x1, [buffer+8];", 1, "8 bytes of parameters"));

    /** What each of four warps does. */
    private static String warpsOf(String first, String second, String third, String fourth) {
        return "shr.u32 %r9, %t, 5; setp.eq.u32 %p9, %r9, 1; setp.eq.u32 %p10, %r9, 2; setp.eq.u32 %p11, %r9, 3;\n"
                + "@%p9 bra W1; @%p10 bra W2; @%p11 bra W3;\n" + first + " ret;\nW1: " + second + " ret;\nW2: " + third
                + " ret;\nW3: " + fourth + " ret;\n";
    }

    static Stream<Arguments> everyMisuse() {
        List<Arguments> cases = new ArrayList<>();
        for (Misuse misuse : MISUSES) {
            for (Schedule schedule : Schedule.values()) {
                cases.add(Arguments.of(misuse, schedule));
            }
        }
        return cases.stream();
    }

    @ParameterizedTest
    @MethodSource("everyMisuse")
    void isAnError(Misuse misuse, Schedule schedule) {
        TestKernel kernel = new TestKernel(misuse.body())
                .threads(misuse.threads())
                .options(EmulatorOptions.checked().withSchedule(schedule));
        assertThatThrownBy(kernel::run)
                .isInstanceOf(EmulationException.class)
                .hasMessageContaining("test, line ")
                .hasMessageContaining("block (0,0,0)")
                .satisfies(e -> {
                    for (String part : misuse.message()) {
                        assertThat(e.getMessage())
                                .containsPattern(part.contains("|") ? part : java.util.regex.Pattern.quote(part));
                    }
                });
    }

    @Test
    void whatNobodyHasWrittenCannotBeRead() {
        assertThatThrownBy(() -> new TestKernel("ld.global.u32 %r1, [%mine];")
                        .uninitialised()
                        .run())
                .isInstanceOf(EmulationException.class)
                .hasMessageContaining("reads 4 bytes at 0x100000 that nobody has written");
        new TestKernel("st.global.u32 [%mine], 3; ld.global.u32 %r1, [%mine];")
                .uninitialised()
                .run();
        new TestKernel("ld.global.u32 %r1, [%mine];")
                .uninitialised()
                .options(EmulatorOptions.checked().withCheck(false))
                .run();
    }

    @Test
    void blocksThatWriteOnePlaceRace() {
        String store = "setp.eq.u32 %p1, %t, 0; @%p1 st.global.u32 [%out], 1;";
        for (int threads = 1; threads <= 2; threads++) {
            TestKernel kernel = new TestKernel(store)
                    .blocks(4)
                    .options(EmulatorOptions.checked().withThreads(threads));
            assertThatThrownBy(kernel::run)
                    .isInstanceOf(EmulationException.class)
                    .hasMessageContaining("thread block number")
                    .hasMessageContaining("has written too");
        }
    }

    @Test
    void blocksMayWriteNeighbouringBytes() {
        int[] found = new TestKernel("""
                setp.ne.u32 %p1, %t, 0; @%p1 bra END;
                cvt.u64.u32 %x1, %b; add.s64 %x1, %x1, %out; cvt.u16.u32 %h1, %b;
                st.global.u8 [%x1], %h1;
                END:
                """).blocks(8).run().ints();
        assertThat(found).startsWith(0x03020100, 0x07060504);
        assertThatThrownBy(() -> new TestKernel(
                                "setp.eq.u32 %p1, %t, 0; cvt.u16.u32 %h1, %b; @%p1 st.global.u32 [%out], 0; @%p1 st.global.u8 [%out+3], %h1;")
                        .blocks(2)
                        .run())
                .hasMessageContaining("0x100000 that thread block number 0 has written too");
    }

    /** As the last block of a reduction does, which a counter and a fence order. */
    @Test
    void aBlockThatHasRunAFenceMayWriteWhereOthersDid() {
        TestKernel.Result result = new TestKernel("""
                setp.eq.u32 %p1, %t, 0;
                @!%p1 bra END;
                st.global.u32 [%out+8], 5;
                END:
                """).run();
        assertThat(result.ints()[2]).isEqualTo(5);
        new TestKernel("membar.gl; setp.eq.u32 %p1, %t, 0; @%p1 st.global.u32 [%out], %b;")
                .blocks(3)
                .run();
    }

    @ParameterizedTest
    @MethodSource("harmless")
    void isNoError(String what, String body, int threads) {
        for (Schedule schedule : Schedule.values()) {
            new TestKernel(body)
                    .threads(threads)
                    .options(EmulatorOptions.checked().withSchedule(schedule))
                    .run();
        }
    }

    static Stream<Arguments> harmless() {
        return Stream.of(
                Arguments.of("all lanes store the same", "st.global.u32 [%out], 3;", 32),
                Arguments.of(
                        "neighbouring bytes of two warps",
                        "mov.u32 %r1, shared; add.s32 %r1, %r1, %t; cvt.u16.u32 %h1, %t; st.shared.u8 [%r1+1], %h1; bar.sync 0; xor.b32 %r2, %t, 33; "
                                + "mov.u32 %r3, shared; add.s32 %r2, %r2, %r3; ld.shared.u8 %h2, [%r2+1];",
                        64),
                Arguments.of(
                        "barriers that order by way of another warp",
                        warpsOf(
                                "st.shared.u32 [shared], 1; bar.sync 1, 64;",
                                "bar.sync 1, 64; bar.sync 2, 64;",
                                "bar.sync 2, 64; ld.shared.u32 %r5, [shared];",
                                ""),
                        128),
                Arguments.of(
                        "atomic updates of all warps",
                        "setp.eq.u32 %p1, %t, 0; @%p1 st.shared.u32 [shared], 0; bar.sync 0; red.shared.add.u32 [shared], 1; bar.sync 0; ld.shared.u32 %r1, [shared];"
                                + "st.global.u32 [%mine], %r1;",
                        128),
                Arguments.of(
                        "a warp that waits for a flag",
                        "setp.eq.u32 %p1, %t, 0; @%p1 st.shared.u32 [shared], 0; bar.sync 0; setp.lt.u32 %p2, %t, 32; @%p2 bra WAIT;"
                                + "atom.shared.exch.b32 %r1, [shared], 1; bra.uni END; WAIT: ld.volatile.shared.u32 %r2, [shared]; setp.eq.u32 %p3, %r2, 0; @%p3 bra WAIT; END:",
                        64),
                Arguments.of(
                        "all warps read what one wrote",
                        "setp.eq.u32 %p1, %t, 0; @%p1 st.shared.u32 [shared], 9; bar.sync 0; ld.shared.u32 %r1, [shared]; bar.sync 0; @%p1 st.shared.u32 [shared], 8;",
                        128));
    }

    @Test
    void updatesOfManyBlocksOnManyThreadsAreNotLost() {
        int[] found = new TestKernel("""
                red.global.add.u32 [%out], 1;
                atom.global.max.u32 %r1, [%out+4], %i;
                atom.global.inc.u32 %r2, [%out+8], 6;
                LOOP:
                ld.volatile.global.u32 %r3, [%out+12];
                add.s32 %r4, %r3, 2;
                atom.global.cas.b32 %r5, [%out+12], %r3, %r4;
                setp.ne.u32 %p1, %r5, %r3;
                @%p1 bra LOOP;
                """)
                .blocks(20)
                .threads(64)
                .options(EmulatorOptions.checked().withThreads(2))
                .run()
                .ints();
        assertThat(found[0]).isEqualTo(1280);
        assertThat(found[1]).isEqualTo(1279);
        assertThat(found[2]).isEqualTo((2 + 1280) % 7);
        assertThat(found[3]).isEqualTo(3 + 2 * 1280);
    }

    @Test
    void atomicUpdatesComputeWhatTheySay() {
        int[] found = new TestKernel("""
                st.global.u32 [%out], 12; st.global.u32 [%out+4], 12; st.global.u32 [%out+8], 12; st.global.u32 [%out+12], -3; st.global.u32 [%out+16], -3;
                st.global.u32 [%out+20], 0; st.global.u32 [%out+24], 9; st.global.f32 [%out+28], 0f3F800000; st.global.u32 [%out+32], 0x3c003c00;
                atom.global.and.b32 %r1, [%out], 10; atom.global.or.b32 %r1, [%out+4], 3; atom.global.xor.b32 %r1, [%out+8], 5;
                atom.global.min.s32 %r1, [%out+12], 2; atom.global.min.u32 %r1, [%out+16], 2; atom.global.dec.u32 %r1, [%out+20], 7;
                atom.global.exch.b32 %r2, [%out+24], 4; atom.global.add.f32 %f1, [%out+28], 0f40000000;
                mov.b32 %r3, 0x40003c00; red.global.add.noftz.f16x2 [%out+32], %r3;
                st.global.u32 [%out+36], %r2;
                atom.add.u32 %r4, [%out+40], 5;
                """).threads(1).run().ints();
        assertThat(found).startsWith(8, 15, 9, -3, 2, 7, 4, Float.floatToRawIntBits(3), 0x42004000, 9, 15);
    }

    @Test
    void genericAddressesReachEverySpace() {
        int[] found = new TestKernel("""
                .local .align 8 .b8 stack[16];
                mov.u64 %x1, stack; cvta.local.u64 %x1, %x1;
                mov.u64 %x2, shared; cvta.shared.u64 %x2, %x2;
                setp.lt.u32 %p1, %t, 8; setp.lt.u32 %p2, %t, 16;
                selp.b64 %x3, %x2, %mine, %p2; selp.b64 %x3, %x1, %x3, %p1;
                st.u32 [%x3], 77;
                ld.u32 %r1, [%x3];
                isspacep.shared %p3, %x3; isspacep.local %p4, %x3; isspacep.global %p5, %x3;
                selp.b32 %r2, 100, 0, %p3; selp.b32 %r3, 200, 0, %p4; selp.b32 %r4, 300, 0, %p5;
                add.s32 %r1, %r1, %r2; add.s32 %r1, %r1, %r3; add.s32 %r1, %r1, %r4;
                st.global.u32 [%mine+128], %r1;
                cvta.to.local.u64 %x4, %x1; ld.local.u32 %r5, [%x4];
                @%p1 st.global.u32 [%mine+256], %r5;
                """).run().ints();
        for (int lane = 0; lane < 32; lane++) {
            assertThat(found[32 + lane]).isEqualTo(77 + (lane < 8 ? 200 : lane < 16 ? 100 : 300));
            assertThat(found[lane]).isEqualTo(lane < 16 ? lane : 77);
        }
        assertThat(found[64]).isEqualTo(77);
    }

    @Test
    void loadsExtendByTheirType() {
        int[] found = new TestKernel("""
                st.global.u32 [%out], 0x8180ff7f;
                ld.global.s8 %r1, [%out+1]; ld.global.u8 %r2, [%out+1]; ld.global.s16 %r3, [%out+2]; ld.global.u16 %r4, [%out+2];
                ld.global.s8 %h1, [%out+3]; cvt.s32.s16 %r5, %h1; ld.global.s16 %x1, [%out+2]; shr.s64 %x2, %x1, 32; cvt.u32.u64 %r6, %x2;
                st.global.u32 [%out+4], %r1; st.global.u32 [%out+8], %r2; st.global.u32 [%out+12], %r3; st.global.u32 [%out+16], %r4;
                st.global.u32 [%out+20], %r5; st.global.u32 [%out+24], %r6;
                st.global.u8 [%out+28], 0x1ff; st.global.v2.u16 [%out+32], {%h1, %h1};
                """).threads(1).run().ints();
        assertThat(found).startsWith(0x8180ff7f, -1, 255, (short) 0x8180, 0x8180, (byte) 0x81, -1, 0xff, 0xff81ff81);
    }

    @Test
    void regionsDoNotOverlapAndKnowWhatIsWritten() {
        GlobalMemory memory = new GlobalMemory();
        memory.map(4096, MemorySegment.ofArray(new byte[100]), false);
        assertThatThrownBy(() -> memory.map(4195, MemorySegment.ofArray(new byte[8]), true))
                .hasMessageContaining("overlaps");
        memory.map(4196, MemorySegment.ofArray(new byte[100]), true);
        assertThat(memory.uninitialisedBytes(4096, 100)).isEqualTo(100);
        memory.markInitialised(4100, 10);
        assertThat(memory.uninitialisedBytes(4096, 100)).isEqualTo(90);
        memory.copy(4200, 4096, 4);
        assertThat(memory.uninitialisedBytes(4096, 100)).isEqualTo(86);
        assertThatThrownBy(() -> memory.markInitialised(4190, 10)).hasMessageContaining("do not lie in one region");
        memory.unmap(4196);
        assertThatThrownBy(() -> memory.unmap(4196)).hasMessageContaining("no region begins");
    }
}
