package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.Operand.Constant;

/** Literals as the bits of a register. */
final class Immediates {
    private Immediates() {}

    /** The bits of a literal in a type, zero-extended. Integers are cut to the type's bits; floats are converted to floating types and stand as they are in others. */
    static long bits(Constant constant, PtxType type) {
        long bits = constant.bits();
        if (type.isFloat() && constant.form() != Constant.Form.INTEGER) {
            double value = constant.form() == Constant.Form.F32
                    ? Float.intBitsToFloat((int) bits)
                    : Double.longBitsToDouble(bits);
            bits = switch (type) {
                case F64 -> constant.form() == Constant.Form.F64 ? bits : Double.doubleToRawLongBits(value);
                case F32 ->
                    constant.form() == Constant.Form.F32
                            ? bits
                            : Integer.toUnsignedLong(Float.floatToRawIntBits((float) value));
                default -> throw new DecodeFault("a literal of " + type + " is written in hexadecimal bits");
            };
        }
        return type.bits() >= 64 ? bits : bits & (1L << type.bits()) - 1;
    }
}
