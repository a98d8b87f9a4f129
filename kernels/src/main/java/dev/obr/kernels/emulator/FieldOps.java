package dev.obr.kernels.emulator;

/** Fields of bits and bytes: extraction, insertion, byte permutation, three-input logic, funnel shifts. */
final class FieldOps {
    private FieldOps() {}

    static Operation decode(Opcode opcode, Operands o) {
        return switch (opcode.name()) {
            case "bfe" -> extract(opcode, o);
            case "bfi" -> {
                PtxType type = opcode.type(PtxType.B32, PtxType.B64);
                o.expect(5);
                int at = o.word(3, PtxType.U32);
                int length = o.word(4, PtxType.U32);
                yield type.wide()
                        ? LaneOps.insertion(
                                o.out(0, type), o.wide(1, type), o.wide(2, type), at, length, FieldOps::insert)
                        : LaneOps.words(o.out(0, type), o.word(1, type), o.word(2, type), at, length, FieldOps::insert);
            }
            case "prmt" -> permute(opcode, o);
            case "lop3" -> logic(opcode, o);
            case "shf" -> funnel(opcode, o);
            case "bmsk" -> mask(opcode, o);
            case "fns" -> {
                opcode.type(PtxType.B32);
                o.expect(4);
                yield LaneOps.words(
                        o.out(0, PtxType.B32),
                        o.word(1, PtxType.B32),
                        o.word(2, PtxType.B32),
                        o.word(3, PtxType.S32),
                        FieldOps::findSet);
            }
            default -> extend(opcode, o);
        };
    }

    private static Operation extract(Opcode opcode, Operands o) {
        PtxType type = opcode.type(PtxType.U32, PtxType.S32, PtxType.U64, PtxType.S64);
        o.expect(4);
        int at = o.word(2, PtxType.U32);
        int length = o.word(3, PtxType.U32);
        boolean signed = type.signed();
        return type.wide()
                ? LaneOps.extraction(
                        o.out(0, type), o.wide(1, type), at, length, (a, b, c) -> extract(a, b, c, signed, 64))
                : LaneOps.words(o.out(0, type), o.word(1, type), at, length, (a, b, c) ->
                        (int) extract(signed ? a : a & 0xffffffffL, b, c, signed, 32));
    }

    /** Bits [at, at + length) of a value; above the value's bits stands its sign, or 0. */
    static long extract(long value, int at, int length, boolean signed, int bits) {
        int from = at & 0xff;
        int count = length & 0xff;
        if (count == 0) {
            return 0;
        }
        // The value is sign- or zero-extended, so that a shift by 63 leaves what stands above its bits.
        long shifted = signed ? value >> Math.min(from, 63) : from > 63 ? 0 : value >>> from;
        if (count >= bits) {
            return shifted;
        }
        // The sign of the field is the one of its topmost bit that exists.
        int top = signed && from + count > bits ? Math.max(bits - from, 1) : count;
        return signed ? shifted << 64 - top >> 64 - top : shifted & (1L << count) - 1;
    }

    private static int insert(int field, int value, int at, int length) {
        int from = at & 0xff;
        int count = length & 0xff;
        if (from > 31 || count == 0) {
            return value;
        }
        int mask = (count > 31 ? -1 : (1 << count) - 1) << from;
        return value & ~mask | field << from & mask;
    }

    private static long insert(long field, long value, int at, int length) {
        int from = at & 0xff;
        int count = length & 0xff;
        if (from > 63 || count == 0) {
            return value;
        }
        long mask = (count > 63 ? -1 : (1L << count) - 1) << from;
        return value & ~mask | field << from & mask;
    }

    private static Operation permute(Opcode opcode, Operands o) {
        opcode.type(PtxType.B32);
        String mode = opcode.takeAny("f4e", "b4e", "rc8", "ecl", "ecr", "rc16");
        o.expect(4);
        LaneOps.IntTernary f = mode == null ? FieldOps::permute : (a, b, c) -> permute(a, b, selector(mode, c & 3));
        return LaneOps.words(
                o.out(0, PtxType.B32), o.word(1, PtxType.B32), o.word(2, PtxType.B32), o.word(3, PtxType.B32), f);
    }

    /** Byte i of the result is the byte of b:a that nibble i of the selector names; the nibble's top bit asks for its sign eight times instead. */
    static int permute(int a, int b, int selector) {
        long bytes = b & 0xffffffffL;
        bytes = bytes << 32 | a & 0xffffffffL;
        int result = 0;
        for (int i = 0; i < 4; i++) {
            int nibble = selector >>> 4 * i & 15;
            int taken = (byte) (bytes >>> 8 * (nibble & 7));
            result |= ((nibble & 8) != 0 ? taken >> 7 : taken) << 8 * i & 0xff << 8 * i;
        }
        return result;
    }

    /** The selector of four nibbles that a mode stands for. */
    private static int selector(String mode, int c) {
        int[] selectors = switch (mode) {
            case "f4e" -> new int[] {0x3210, 0x4321, 0x5432, 0x6543};
            case "b4e" -> new int[] {0x5670, 0x6701, 0x7012, 0x0123};
            case "rc8" -> new int[] {0x0000, 0x1111, 0x2222, 0x3333};
            case "ecl" -> new int[] {0x3210, 0x3211, 0x3222, 0x3333};
            case "ecr" -> new int[] {0x0000, 0x1110, 0x2210, 0x3210};
            default -> new int[] {0x1010, 0x3232, 0x1010, 0x3232};
        };
        return selectors[c];
    }

    private static Operation logic(Opcode opcode, Operands o) {
        opcode.type(PtxType.B32);
        o.expect(5);
        int table = (int) o.literal(4) & 0xff;
        return LaneOps.words(
                o.out(0, PtxType.B32),
                o.word(1, PtxType.B32),
                o.word(2, PtxType.B32),
                o.word(3, PtxType.B32),
                (a, b, c) -> logic(a, b, c, table));
    }

    /** Bit 4a + 2b + c of the table, for each bit: that is the sum of the products (minterms) that the table lists. */
    static int logic(int a, int b, int c, int table) {
        int result = 0;
        for (int term = table; term != 0; term &= term - 1) {
            int i = Integer.numberOfTrailingZeros(term);
            result |= ((i & 4) != 0 ? a : ~a) & ((i & 2) != 0 ? b : ~b) & ((i & 1) != 0 ? c : ~c);
        }
        return result;
    }

    private static Operation funnel(Opcode opcode, Operands o) {
        boolean left = opcode.takeOne("l", "r").equals("l");
        boolean wraps = opcode.takeOne("wrap", "clamp").equals("wrap");
        opcode.type(PtxType.B32);
        o.expect(4);
        return LaneOps.words(
                o.out(0, PtxType.B32),
                o.word(1, PtxType.B32),
                o.word(2, PtxType.B32),
                o.word(3, PtxType.U32),
                (a, b, c) -> {
                    int by = wraps ? c & 31 : (c & ~31) != 0 ? 32 : c;
                    long both = (long) b << 32 | a & 0xffffffffL;
                    return left ? (int) (both << by >>> 32) : (int) (both >>> by);
                });
    }

    /** The place of the nth bit that is set, from a base up, or down where n is negative; the base itself counts as the first. All ones without one. */
    static int findSet(int mask, int base, int n) {
        if (n == 0) {
            return (mask >>> base & 1) != 0 ? base : -1;
        }
        int step = n > 0 ? 1 : -1;
        int left = Math.abs(n);
        for (int at = base; at >= 0 && at < 32; at += step) {
            left -= mask >>> at & 1;
            if (left == 0) {
                return at;
            }
        }
        return -1;
    }

    private static Operation mask(Opcode opcode, Operands o) {
        boolean wraps = opcode.takeOne("wrap", "clamp").equals("wrap");
        opcode.type(PtxType.B32);
        o.expect(3);
        return LaneOps.words(o.out(0, PtxType.B32), o.word(1, PtxType.U32), o.word(2, PtxType.U32), (a, b) -> {
            int from = wraps ? a & 31 : Integer.compareUnsigned(a, 32) > 0 ? 32 : a;
            int count = wraps ? b & 31 : Integer.compareUnsigned(b, 32) > 0 ? 32 : b;
            return (int) (((1L << count) - 1) << from);
        });
    }

    private static Operation extend(Opcode opcode, Operands o) {
        boolean wraps = opcode.takeOne("wrap", "clamp").equals("wrap");
        PtxType type = opcode.type(PtxType.U32, PtxType.S32);
        o.expect(3);
        boolean signed = type.signed();
        return LaneOps.words(o.out(0, type), o.word(1, type), o.word(2, PtxType.U32), (a, b) -> {
            int bits = wraps ? b & 31 : Integer.compareUnsigned(b, 32) > 0 ? 32 : b;
            if (bits == 0 || bits == 32) {
                return bits == 0 ? 0 : a;
            }
            return signed ? a << 32 - bits >> 32 - bits : a & (1 << bits) - 1;
        });
    }
}
