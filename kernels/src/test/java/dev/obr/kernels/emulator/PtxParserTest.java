package dev.obr.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** PTX as compilers write it, and as they do not. */
class PtxParserTest {
    private static final String HEAD = ".version 8.0\n.target sm_80\n.address_size 64\n";

    @Test
    void aModuleSaysWhatItIs() {
        PtxModule module = PtxModule.parse("some.ptx", HEAD.replace("sm_80", "sm_90a") + """
                .visible .entry first(.param .u32 n, .param .u64 .ptr .global .align 16 p, .param .u8 c, .param .align 8 .b8 s[16])
                .maxntid 128, 1, 1
                .minnctapersm 2
                { .shared .align 8 .b8 x[100]; .reg .b32 %r; mov.u32 %r, x; ret; }
                .entry second { ret; }
                """);
        assertThat(module.name()).isEqualTo("some.ptx");
        assertThat(module.version()).isEqualTo("8.0");
        assertThat(module.target()).isEqualTo(ComputeCapability.SM_90);
        assertThat(module.kernels()).extracting(PtxKernel::name).containsExactly("first", "second");
        PtxKernel first = module.kernel("first");
        assertThat(first.parameters())
                .containsExactly(
                        new PtxParameter("n", "u32", 4, 0),
                        new PtxParameter("p", "u64", 8, 8),
                        new PtxParameter("c", "u8", 1, 16),
                        new PtxParameter("s", "b8", 16, 24));
        assertThat(first.maxThreads()).isEqualTo(128);
        assertThat(first.staticSharedBytes()).isEqualTo(100);
        assertThatThrownBy(() -> module.kernel("third"))
                .isInstanceOf(ObrException.class)
                .hasMessage("some.ptx has no kernel third; it has [first, second]");
    }

    /** Inline assembly declares the same names in braces again and again. */
    @Test
    void namesBelongToTheirBraces() {
        int[] found = new TestKernel("""
                mov.u32 %r1, 5;
                { .reg .b16 low, high; mov.b32 {low, high}, %r1; mov.b32 %r1, {high, low}; }
                { .reg .b32 low; mov.u32 low, 7; { .reg .b64 low; mov.u64 low, 9; cvt.u32.u64 %r2, low; } add.s32 %r2, %r2, low; }
                { bra SAME; add.s32 %r2, %r2, 1000; SAME: add.s32 %r2, %r2, 1; } { bra SAME; add.s32 %r2, %r2, 1000; SAME: }
                st.global.u32 [%mine], %r1; st.global.u32 [%mine+128], %r2;
                """).threads(1).run().ints();
        assertThat(found[0]).isEqualTo(5 << 16);
        assertThat(found[32]).isEqualTo(17);
    }

    @Test
    void numbersAreReadInEveryForm() {
        int[] found = new TestKernel("""
                .loc 1 12 3
                .loc 1 13 5, function_name $L__info_string0, inlined_at 1 12 3
                .pragma "nounroll";
                /* a comment
                   of two lines */ st.global.u32 [%out], 0x1F; st.global.u32 [%out+4], 017; st.global.u32 [%out+8], 0b101; // the rest
                st.global.u32 [%out+12], -8; mov.f32 %f1, 0f3F800000; st.global.f32 [%out+16], %f1; mov.f32 %f1, 0d4000000000000000;
                st.global.f32 [%out+ 20], %f1; add.s64 %x1, %out, 32; st.global.u32 [%x1+-8], 4294967295U; mov.u32 %r1, WARP_SZ; st.global.u32 [%x1 - 4], %r1;
                """).threads(1).run().ints();
        assertThat(found)
                .startsWith(31, 15, 5, -8, Float.floatToRawIntBits(1), Float.floatToRawIntBits(2), -1, 32);
    }

    @Test
    void variablesOfAModuleHaveInitialValues() {
        PtxModule module = PtxModule.parse("variables.ptx", HEAD + """
                .global .align 4 .u32 table[2][2] = {{1, 2}, {3, -4}};
                .const .align 8 .b8 bytes[8] = {1, 0, 0, 0, 255};
                .global .u64 pointers[2] = {table, generic(table)+8};
                .global .f32 number = 0f40490FDB;
                .visible .entry read(.param .u64 out)
                {
                .reg .b64 %x<6>; .reg .b32 %r<5>;
                ld.param.u64 %x0, [out];
                ld.global.u32 %r0, [table+12]; st.global.u32 [%x0], %r0;
                ld.const.u32 %r1, [bytes+4]; st.global.u32 [%x0+4], %r1;
                ld.global.u64 %x1, [pointers+8]; ld.global.u32 %r2, [%x1]; st.global.u32 [%x0+8], %r2;
                mov.u64 %x2, table; ld.u32 %r3, [%x2+4]; st.global.u32 [%x0+12], %r3;
                ld.global.b32 %r4, [number]; st.global.u32 [%x0+16], %r4;
                ret;
                }
                """);
        int[] found = new int[5];
        GlobalMemory memory = new GlobalMemory();
        memory.map(512, java.lang.foreign.MemorySegment.ofArray(found), false);
        new Emulator(EmulatorOptions.checked())
                .launch(
                        module.kernel("read"),
                        LaunchShape.of(1, 1, 0),
                        List.of(new KernelArguments.Argument(512, 8)),
                        memory);
        assertThat(found).containsExactly(-4, 255, 3, 2, 0x40490fdb);
    }

    @Test
    void dynamicSharedMemoryFollowsTheStaticOne() {
        int[] found = new TestKernel("""
                mov.u32 %r1, dynamic; mov.u32 %r2, shared;
                sub.s32 %r3, %r1, %r2; st.global.u32 [%out], %r3;
                st.shared.u32 [%r1+60], 9; ld.shared.u32 %r4, [dynamic+60]; st.global.u32 [%out+4], %r4;
                """).threads(1).dynamicShared(64).run().ints();
        assertThat(found).startsWith(4096, 9);
        assertThatThrownBy(() -> new TestKernel("mov.u32 %r2, shared; st.shared.u32 [dynamic+64], 1;")
                        .threads(1)
                        .dynamicShared(64)
                        .run())
                .hasMessageContaining("outside the block's 4160 bytes");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "frobnicate.b32 %r1, %r2; | unknown opcode frobnicate.b32",
        "add.s32.fast %r1, %r2, %r3; | unknown modifier .fast",
        "add.s32 %r1, %r2; | expected 3 operands, not 2",
        "add.s32 %r1, %r2, %x1; | %x1 has 64 bits where 32 are needed",
        "add.s32 5, %r2, %r3; | expected a register to write to",
        "add.s32 %r1, %r2, %zz; | unknown register %zz",
        "add.s32 %r1, %r2, %r99; | unknown register %r99",
        "mov.u32 %r1, nowhere; | expected a register or a number",
        "ld.global.u32 %r1, [nowhere]; | unknown name nowhere",
        "ld.global.u32 %r1, %x1; | expected an address in brackets",
        "ld.global.v2.u32 %r1, [%x1]; | expected 2 registers, not 1",
        "ld.texture.u32 %r1, [%x1]; | unknown modifier .texture",
        "bra NOWHERE; | nothing is called NOWHERE",
        "@%r1 bra END; | %r1 is no predicate",
        "selp.b32 %r1, %r2, %r3, %r4; | expected a predicate",
        "setp.lt.b32 %p1, %r1, %r2; | untyped bits",
        "cvt.f16.f32 %h1, %f1; | expected a rounding such as .rn",
        "cvt.rn.f32.f16 %f1, %h1; | nothing is rounded",
        "shfl.bfly.b32 %r1, %r2, 1, 31; | before sm_70",
        "call nobody, (%r1); | no function is called nobody",
        "call %x1, (%r1); | a call through a register",
        "mma.sync.aligned.m16n8k33.row.col.s32.s8.s8.s32 {%r1}, {%r1}, {%r1}, {%r1}; | know no mma",
        "wgmma.fence.sync.aligned; | not supported by the emulator",
        "cp.async.bulk.commit_group; | not supported by the emulator",
        "mbarrier.init.shared.b64 [%x1], 1; | not supported by the emulator",
        ".tex t; | unknown directive",
        ".reg .b32 %r; .reg .b32 %r; | declared twice",
        ".shared .b8 huge[999999999]; | expected a number from 0",
        "mov.u32 %r1, 99999999999999999999; | is no number",
        "mov.u32 %r1, 0f123; | is no number",
        "lop3.b32 %r1, %r2, %r3, %r4, %r5; | expected a number",
        "add.s32 %r1, %r2, ?; | no PTX begins with the character '?'",
        "{ add.s32 %r1, %r2, 3; | a brace is not closed"
    })
    void whatIsUnknownIsNamedWithItsLine(String instruction, String message) {
        String module = new TestKernel(instruction + "\nEND:").module();
        assertThatThrownBy(() -> PtxModule.parse("wrong.ptx", module))
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith("wrong.ptx, line ")
                .hasMessageContaining(message);
        if (!instruction.startsWith("{")) {
            assertThatThrownBy(() -> PtxModule.parse("wrong.ptx", module))
                    .hasMessageContaining("line 15")
                    .hasMessageContaining(instruction);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".version 8.0", ".target sm_80", ".version 8.0\n.target sm_80\n.address_size 32", "garbage", "/*", "\""})
    void aModuleThatIsNoneIsAnError(String text) {
        assertThatThrownBy(() -> PtxModule.parse("none.ptx", text))
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith("none.ptx, line ");
    }

    @Test
    void argumentsMustFit() {
        PtxKernel kernel = PtxModule.parse("k.ptx", HEAD + ".entry k(.param .u32 n) .reqntid 64 { ret; }").kernel("k");
        Emulator emulator = new Emulator(EmulatorOptions.checked());
        GlobalMemory memory = new GlobalMemory();
        assertThatThrownBy(() -> emulator.launch(kernel, LaunchShape.of(1, 32, 0), List.of(), memory))
                .isInstanceOf(ObrException.class)
                .hasMessage("k has 1 parameters, not 0");
        assertThatThrownBy(() -> emulator.launch(
                        kernel, LaunchShape.of(1, 32, 0), List.of(new KernelArguments.Argument(1, 8)), memory))
                .isInstanceOf(ObrException.class)
                .hasMessage("Parameter n of k has 4 bytes, the argument 8");
        assertThatThrownBy(() -> emulator.launch(
                        kernel, LaunchShape.of(1, 96, 0), List.of(new KernelArguments.Argument(1, 4)), memory))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("blocks of at most 64 threads, not 96");
    }

    /** Characters lost, doubled, swapped and changed: an error that says so, or a module, and nothing else. */
    @ParameterizedTest
    @ValueSource(strings = {"functions", "pipeline", "interpreter", "tensor", "tables", "reduce_unoptimised"})
    void garbageIsNoDefect(String name) throws IOException {
        String text;
        try (InputStream in = PtxParserTest.class.getResourceAsStream(name + ".ptx")) {
            text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
        }
        Random random = new Random(name.hashCode());
        for (int i = 0; i < 150; i++) {
            String mutated = mutate(text, random);
            assertThatCode(() -> parse(mutated)).as(mutated).doesNotThrowAnyException();
        }
    }

    private static void parse(String text) {
        try {
            PtxModule.parse("mutated.ptx", text);
        } catch (ObrException e) {
            assertThat(e.getMessage()).startsWith("mutated.ptx, line ");
        }
    }

    private static String mutate(String text, Random random) {
        StringBuilder mutated = new StringBuilder(text);
        int times = 1 + random.nextInt(4);
        for (int i = 0; i < times; i++) {
            int at = random.nextInt(mutated.length() - 20);
            int length = 1 + random.nextInt(12);
            switch (random.nextInt(6)) {
                case 0 -> mutated.delete(at, at + length);
                case 1 -> mutated.insert(at, mutated.substring(at, at + length));
                case 2 -> mutated.setCharAt(at, (char) (32 + random.nextInt(95)));
                case 3 -> mutated.insert(at, ";{}[](),.%@!:<>-0x9"
                        .charAt(random.nextInt(19)));
                case 4 -> {
                    int from = random.nextInt(mutated.length() - 20);
                    mutated.replace(at, at + length, mutated.substring(from, from + length));
                }
                default -> mutated.setLength(Math.max(at, 40));
            }
        }
        return mutated.toString();
    }
}
