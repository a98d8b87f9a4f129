package dev.obr.kernels.emulator;

/**
 * A piece of PTX.
 *
 * @param text as written
 * @param line from 1
 * @param start first character in the text
 */
record Token(Kind kind, String text, int line, int start) {
    enum Kind {
        /** A name, a directive or an opcode with its modifiers, as in %r1, .reg, %tid.x, $L__BB0_2, ld.global.L1::no_allocate.v4.f32. */
        WORD,
        NUMBER,
        STRING,
        /** One character. */
        MARK,
        END
    }

    boolean is(String expected) {
        return text.equals(expected) && kind != Kind.STRING;
    }

    int end() {
        return start + text.length();
    }
}
