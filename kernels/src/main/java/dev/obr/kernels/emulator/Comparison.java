package dev.obr.kernels.emulator;

import org.jspecify.annotations.Nullable;

/** The comparisons of setp and set. On floats those that end in U hold where one of the two is no number, the others do not. */
enum Comparison {
    EQ,
    NE,
    LT,
    LE,
    GT,
    GE,
    LO,
    LS,
    HI,
    HS,
    EQU,
    NEU,
    LTU,
    LEU,
    GTU,
    GEU,
    NUM,
    NAN;

    static String[] names() {
        String[] names = new String[values().length];
        for (int i = 0; i < names.length; i++) {
            names[i] = values()[i].name().toLowerCase(java.util.Locale.ROOT);
        }
        return names;
    }

    static Comparison of(String name) {
        return valueOf(name.toUpperCase(java.util.Locale.ROOT));
    }

    /** Whether integers of a type can be compared so. */
    boolean fits(PtxType type) {
        if (type.isFloat() || type.packed()) {
            return this != LO && this != LS && this != HI && this != HS;
        }
        return this == EQ
                || this == NE
                || (type.bits() > 0 && compareTo(GE) <= 0)
                || (compareTo(HS) <= 0 && !type.signed());
    }

    /** Whether it holds by the sign of a comparison of integers. */
    boolean holds(int sign) {
        return switch (this) {
            case EQ, EQU -> sign == 0;
            case NE, NEU -> sign != 0;
            case LT, LO, LTU -> sign < 0;
            case LE, LS, LEU -> sign <= 0;
            case GT, HI, GTU -> sign > 0;
            case GE, HS, GEU -> sign >= 0;
            case NUM -> true;
            case NAN -> false;
        };
    }

    boolean holds(double a, double b) {
        if (Double.isNaN(a) || Double.isNaN(b)) {
            return compareTo(EQU) >= 0 && this != NUM;
        }
        return holds(a < b ? -1 : a > b ? 1 : 0);
    }

    /** What a predicate is combined with the comparison by. */
    enum Combination {
        AND,
        OR,
        XOR;

        int of(int a, int b) {
            return switch (this) {
                case AND -> a & b;
                case OR -> a | b;
                case XOR -> a ^ b;
            };
        }

        static @Nullable Combination of(@Nullable String name) {
            return name == null ? null : valueOf(name.toUpperCase(java.util.Locale.ROOT));
        }
    }
}
