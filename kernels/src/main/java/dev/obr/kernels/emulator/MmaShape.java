package dev.obr.kernels.emulator;

import dev.obr.kernels.ObrException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One form of the tensor cores' warp-wide product D [m,8] = A [m,k] . B [k,8] + C [m,8], as the modifiers of its opcode spell it.
 *
 * @param sparse whether half of A's columns are left out (mma.sp)
 * @param ordered whether the metadata must name the kept columns in ascending order
 * @param m rows of A: 8 or 16
 * @param k columns of A, those left out too
 * @param a elements of A
 * @param b elements of B
 * @param accumulator elements of C and D
 * @param saturating whether D is clamped rather than wrapped; integers only
 */
record MmaShape(
        boolean sparse, boolean ordered, int m, int k, Element a, Element b, Element accumulator, boolean saturating) {
    /** What a register is filled with. */
    enum Element {
        S4(4, true),
        U4(4, false),
        S8(8, true),
        U8(8, false),
        S32(32, true),
        F16(16, true),
        BF16(16, true),
        F32(32, true);

        private final int bits;
        private final boolean signed;

        Element(int bits, boolean signed) {
            this.bits = bits;
            this.signed = signed;
        }

        int bits() {
            return bits;
        }

        boolean signed() {
            return signed;
        }

        /** Whether the tensor cores multiply it as an integer. */
        boolean integer() {
            return this != F16 && this != BF16 && this != F32;
        }

        int perRegister() {
            return 32 / bits;
        }

        private String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final Pattern EXTENTS = Pattern.compile("m(8|16)n8k(\\d{1,3})");

    MmaShape {
        if (!supported(sparse, m, k, a, b, accumulator, saturating)) {
            throw new IllegalArgumentException("no such mma: " + name(sparse, m, k, List.of(a, b, accumulator))
                    + (saturating ? ", saturating" : ""));
        }
    }

    /**
     * The shape that an opcode names, such as {@code mma.sp.sync.aligned.m16n8k128.row.col.satfinite.s32.s4.s4.s32}.
     *
     * @throws ObrException if the emulator knows no such product
     */
    static MmaShape of(String opcode) {
        List<String> modifiers = new ArrayList<>(Arrays.asList(opcode.split("\\.", -1)));
        boolean ordered = modifiers.remove("sp::ordered_metadata");
        boolean sparse = modifiers.remove("sp") || ordered;
        boolean saturating = modifiers.remove("satfinite");
        // mma sync aligned m16n8k64 row col d a b c
        if (modifiers.size() != 10
                || !modifiers.subList(0, 3).equals(List.of("mma", "sync", "aligned"))
                || !modifiers.subList(4, 6).equals(List.of("row", "col"))) {
            throw unknown(opcode);
        }
        Matcher extents = EXTENTS.matcher(modifiers.get(3));
        if (!extents.matches() || !modifiers.get(6).equals(modifiers.get(9))) {
            throw unknown(opcode);
        }
        Element a = element(modifiers.get(7), opcode);
        Element b = element(modifiers.get(8), opcode);
        Element accumulator = element(modifiers.get(6), opcode);
        int m = Integer.parseInt(extents.group(1));
        int k = Integer.parseInt(extents.group(2));
        if (!supported(sparse, m, k, a, b, accumulator, saturating)) {
            throw unknown(opcode);
        }
        return new MmaShape(sparse, ordered, m, k, a, b, accumulator, saturating);
    }

    private static Element element(String name, String opcode) {
        for (Element element : Element.values()) {
            if (element.label().equals(name)) {
                return element;
            }
        }
        throw unknown(opcode);
    }

    private static ObrException unknown(String opcode) {
        return new ObrException(
                "The emulator's tensor cores know no " + opcode
                        + ": they multiply s4, u4, s8, u8, f16 and bf16 in the m16n8 shapes (integers in m8n8 too), and s4, u4, s8 and u8 with a sparse A");
    }

    /** A has one register a lane for each 8 rows and each quarter of a row: its rows (without the columns left out) fill one or two of these. */
    private static boolean supported(
            boolean sparse, int m, int k, Element a, Element b, Element accumulator, boolean saturating) {
        int columns = sparse ? k / 2 : k;
        int halves = columns / (4 * a.perRegister());
        if (a.bits() != b.bits() || columns % (4 * a.perRegister()) != 0 || halves < 1 || halves > m / 8) {
            return false;
        }
        if (a.integer()) {
            return a.bits() < 32 && accumulator == Element.S32 && !(sparse && m == 8);
        }
        boolean accumulates = accumulator == Element.F32 || (accumulator == Element.F16 && a == Element.F16);
        return a == b && a.bits() == 16 && m == 16 && !sparse && !saturating && accumulates;
    }

    /** Registers of A in each lane. */
    int aRegisters() {
        return m / 8 * halves();
    }

    /** Registers of B in each lane. */
    int bRegisters() {
        return k / (4 * b.perRegister());
    }

    /** Registers of C, and of D, in each lane. */
    int cRegisters() {
        return m / 4 / accumulator.perRegister();
    }

    /** Into how many pieces a row of A, without the columns left out, falls: 4 lanes hold one register of each piece. */
    int halves() {
        return (sparse ? k / 2 : k) / (4 * a.perRegister());
    }

    /** How many values the sparsity selector may have: with two pieces to a row all four lanes of a group bring metadata, with one only two of them, which the selector names. */
    int selectors() {
        return halves() == 2 ? 1 : 2;
    }

    /** As in {@code mma.sp.m16n8k128.s4.s4.s32}. */
    @Override
    public String toString() {
        return name(sparse, m, k, List.of(a, b, accumulator));
    }

    private static String name(boolean sparse, int m, int k, List<Element> elements) {
        StringBuilder name = new StringBuilder(sparse ? "mma.sp" : "mma");
        name.append(".m").append(m).append("n8k").append(k);
        elements.forEach(element -> name.append('.').append(element.label()));
        return name.toString();
    }
}
