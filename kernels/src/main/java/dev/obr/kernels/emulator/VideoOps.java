package dev.obr.kernels.emulator;

import java.util.function.IntBinaryOperator;

/** Arithmetic on two or four numbers in a register: vadd4.s32.u32.u32 and its like. The operands' types say which sign their bytes or halves have, the result's what it saturates to. Sums of elements ({@code .add}) are not among it. */
final class VideoOps {
    private VideoOps() {}

    static Operation decode(Opcode opcode, Operands o) {
        String name = opcode.name();
        int count = name.charAt(name.length() - 1) - '0';
        int bits = 32 / count;
        PtxType result = opcode.type(PtxType.U32, PtxType.S32);
        PtxType typeA = opcode.type(PtxType.U32, PtxType.S32);
        PtxType typeB = opcode.type(PtxType.U32, PtxType.S32);
        boolean saturates = opcode.take("sat");
        IntBinaryOperator f = switch (name.substring(0, name.length() - 1)) {
            case "vadd" -> Integer::sum;
            case "vsub" -> (a, b) -> a - b;
            case "vabsdiff" -> (a, b) -> Math.abs(a - b);
            case "vmin" -> Math::min;
            case "vmax" -> Math::max;
            default -> throw new DecodeFault("unknown opcode " + opcode.text());
        };
        o.expect(4);
        boolean signed = result.signed();
        int least = signed ? -1 << bits - 1 : 0;
        int most = (1 << bits - (signed ? 1 : 0)) - 1;
        int ones = (1 << bits) - 1;
        return LaneOps.words(o.out(0, result), o.word(1, typeA), o.word(2, typeB), o.word(3, result), (a, b, c) -> {
            int packed = 0;
            for (int at = 0; at < 32; at += bits) {
                int value = f.applyAsInt(element(typeA, a, at, bits), element(typeB, b, at, bits));
                value = saturates ? Math.clamp(value, least, most) : value;
                packed |= (value & ones) << at;
            }
            return packed; // c would fill what a mask leaves out, and there is none
        });
    }

    private static int element(PtxType type, int register, int at, int bits) {
        int top = register << 32 - bits - at;
        return type.signed() ? top >> 32 - bits : top >>> 32 - bits;
    }
}
