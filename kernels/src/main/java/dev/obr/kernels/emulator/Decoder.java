package dev.obr.kernels.emulator;

/** Finds who knows an opcode. */
final class Decoder {
    private Decoder() {}

    /** Decodes an instruction; what it leaves of the opcode's modifiers is unknown. */
    static Operation decode(Opcode opcode, Operands operands) {
        return switch (opcode.name()) {
            case "add", "sub", "mul", "mad", "fma", "div", "rem", "abs", "neg", "min", "max" ->
                arithmetic(opcode, operands);
            case "mul24", "mad24", "sad", "dp4a", "dp2a" -> IntegerOps.special(opcode, operands);
            case "vadd2", "vadd4", "vsub2", "vsub4", "vabsdiff2", "vabsdiff4", "vmin2", "vmin4", "vmax2", "vmax4" ->
                VideoOps.decode(opcode, operands);
            case "addc", "subc", "madc" -> CarryOps.decode(opcode, operands);
            case "rcp", "sqrt", "rsqrt", "ex2", "lg2", "sin", "cos", "tanh", "testp", "copysign" ->
                FloatFunctions.decode(opcode, operands);
            case "and", "or", "xor", "not", "cnot", "shl", "shr", "popc", "clz", "bfind", "brev" ->
                BitOps.decode(opcode, operands);
            case "bfe", "bfi", "prmt", "lop3", "shf", "bmsk", "szext", "fns" -> FieldOps.decode(opcode, operands);
            case "setp", "set", "selp", "slct" -> CompareOps.decode(opcode, operands);
            case "mov", "cvta", "isspacep" -> MoveOps.decode(opcode, operands);
            case "cvt" -> ConvertOps.decode(opcode, operands);
            case "ld", "ldu", "st", "prefetch", "prefetchu" -> MemoryOps.decode(opcode, operands);
            case "atom", "red" -> AtomicOps.decode(opcode, operands);
            case "cp" -> AsyncOps.decode(opcode, operands);
            case "shfl", "vote", "match", "activemask", "redux" -> WarpOps.decode(opcode, operands);
            case "bar", "barrier", "membar", "fence", "nanosleep" -> BarrierOps.decode(opcode, operands);
            case "ldmatrix", "stmatrix", "movmatrix", "mma" -> TensorOps.decode(opcode, operands);
            case "bra", "brx", "ret", "exit", "trap" -> ControlOps.decode(opcode, operands);
            case "wgmma", "mbarrier", "griddepcontrol", "elect", "tcgen05", "setmaxnreg", "clusterlaunchcontrol" ->
                throw new DecodeFault(opcode.name() + " of Hopper and later is not supported by the emulator");
            default -> throw new DecodeFault("unknown opcode " + opcode.text());
        };
    }

    private static Operation arithmetic(Opcode opcode, Operands operands) {
        if (opcode.take("cc")) {
            return CarryOps.decodeFirst(opcode, operands);
        }
        // The type is looked at and left for whoever takes the opcode.
        PtxType type = new Opcode(opcode.text()).type();
        if (type == PtxType.F32 || type == PtxType.F64) {
            return FloatOps.decode(opcode, operands);
        }
        if (type == PtxType.F16 || type == PtxType.F16X2 || type == PtxType.BF16 || type == PtxType.BF16X2) {
            return HalfOps.decode(opcode, operands);
        }
        return IntegerOps.decode(opcode, operands);
    }
}
