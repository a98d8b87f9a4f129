package dev.obr.kernels.emulator;

import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs a few instructions in one thread for each row of operands. In their text $a, $b, $c and $e are registers with operands, $d is the one whose value comes back; %p0 … %p7, %q0 … (32 bits)
 * and %w0 … (64 bits) are free.
 */
final class Snippet {
    private static final long CELLS = 1 << 16;

    private final String text;
    private final PtxType result;
    private final PtxType[] operands;

    Snippet(String text, PtxType result, PtxType... operands) {
        this.text = text;
        this.result = result;
        this.operands = operands;
    }

    /** The bits of $d, zero-extended, for each row of operands. */
    long[] run(long[][] rows) {
        return run(rows, Math.min(256, rows.length), EmulatorOptions.checked());
    }

    long[] run(long[][] rows, int threads, EmulatorOptions options) {
        try (Arena arena = Arena.ofShared()) {
            GlobalMemory memory = new GlobalMemory();
            int count = rows.length;
            MemorySegment in = arena.allocate(8L * 4 * count, 256);
            for (int i = 0; i < count; i++) {
                for (int o = 0; o < operands.length; o++) {
                    in.setAtIndex(ValueLayout.JAVA_LONG, 4L * i + o, rows[i][o]);
                }
            }
            MemorySegment out = arena.allocate(8L * count, 256);
            memory.map(CELLS, in, true);
            long outAddress = CELLS + in.byteSize() + 256 & -256;
            memory.map(outAddress, out, true);
            PtxModule module = PtxModule.parse("snippet", module());
            int blocks = (count + threads - 1) / threads;
            new Emulator(options)
                    .launch(
                            module.kernel("snippet"),
                            LaunchShape.of(blocks, threads, 0),
                            List.of(
                                    new KernelArguments.Argument(CELLS, 8),
                                    new KernelArguments.Argument(outAddress, 8),
                                    new KernelArguments.Argument(count, 4)),
                            memory);
            long[] found = new long[count];
            for (int i = 0; i < count; i++) {
                found[i] = out.getAtIndex(ValueLayout.JAVA_LONG, i);
            }
            return found;
        }
    }

    private String module() {
        String[] names = {"%a", "%b", "%c", "%e"};
        StringBuilder text = new StringBuilder(
                """
                .version 8.0
                .target sm_80
                .address_size 64
                .visible .entry snippet(.param .u64 in, .param .u64 out, .param .u32 count)
                {
                .reg .pred %p<8>; .reg .pred %stop; .reg .b32 %q<8>; .reg .b64 %w<8>; .reg .b16 %h<8>;
                .reg .b32 %i<5>; .reg .b64 %x<7>;
                ld.param.u64 %x0, [in]; ld.param.u64 %x1, [out]; ld.param.u32 %i0, [count];
                mov.u32 %i1, %ctaid.x; mov.u32 %i2, %ntid.x; mov.u32 %i3, %tid.x;
                mad.lo.s32 %i4, %i1, %i2, %i3;
                setp.ge.s32 %stop, %i4, %i0;
                @%stop ret;
                mul.wide.s32 %x2, %i4, 32; add.s64 %x3, %x0, %x2;
                mul.wide.s32 %x4, %i4, 8; add.s64 %x5, %x1, %x4;
                """);
        List<String> declared = new ArrayList<>();
        declared.add(".reg " + register(result) + " %d;");
        StringBuilder loads = new StringBuilder();
        for (int o = 0; o < operands.length; o++) {
            declared.add(".reg " + register(operands[o]) + " " + names[o] + ";");
            loads.append("ld.global.b").append(operands[o].bits()).append(' ').append(names[o]).append(", [%x3+")
                    .append(8 * o).append("];\n");
        }
        text.append(String.join(" ", declared)).append('\n').append(loads);
        text.append(this.text.replace("$", "%")).append('\n');
        text.append("st.global.b").append(result.bits()).append(" [%x5], %d;\nret;\n}\n");
        return text.toString();
    }

    private static String register(PtxType type) {
        return ".b" + Math.max(16, type.bits());
    }

    /** All rows that can be formed of these values. */
    static long[][] product(long[]... values) {
        int count = 1;
        for (long[] column : values) {
            count *= column.length;
        }
        long[][] rows = new long[count][values.length];
        for (int i = 0; i < count; i++) {
            int rest = i;
            for (int o = 0; o < values.length; o++) {
                rows[i][o] = values[o][rest % values[o].length];
                rest /= values[o].length;
            }
        }
        return rows;
    }
}
