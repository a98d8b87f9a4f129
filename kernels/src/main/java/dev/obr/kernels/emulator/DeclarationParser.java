package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.Operand.Constant;
import dev.obr.kernels.emulator.Variable.Fixup;
import dev.obr.kernels.emulator.Variable.Space;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads declarations of registers and variables. */
final class DeclarationParser {
    private static final int MOST_BYTES = 1 << 28;

    private final TokenReader reader;

    DeclarationParser(TokenReader reader) {
        this.reader = reader;
    }

    /** The rest of {@code .reg .b32 %r<10>, %x;}. */
    void registers(Scope scope) {
        PtxType type = type();
        do {
            Token name = reader.word();
            try {
                if (reader.accept("<")) {
                    scope.declareRange(name.text(), type, reader.integer(0, 1 << 24));
                    reader.expect(">");
                } else {
                    scope.declare(name.text(), type);
                }
            } catch (DecodeFault e) {
                throw reader.error(name, e.what());
            }
        } while (reader.accept(","));
        reader.expect(";");
    }

    /** The rest of {@code .shared .align 4 .b8 x[128], y[4];}. */
    void variables(Space space, Scope scope, boolean external, List<Variable> all) {
        int align = align();
        Token first = reader.peek();
        int vector = reader.accept(".v2") ? 2 : reader.accept(".v4") ? 4 : 1;
        PtxType type = type();
        if (type == PtxType.PRED) {
            throw reader.error(first, "no variable is a predicate");
        }
        do {
            Variable variable = variable(space, type, vector, align, external, scope);
            scope.declare(variable);
            all.add(variable);
        } while (reader.accept(","));
        reader.expect(";");
    }

    /** One of {@code (.param .u64 a, .param .align 8 .b8 b[16])}, after its .param. */
    Variable parameter() {
        int align = align();
        PtxType type = type();
        if (reader.accept(".ptr")) {
            for (String space : List.of(".global", ".shared", ".local", ".const")) {
                reader.accept(space);
            }
            if (reader.accept(".align")) {
                reader.integer(1, 1 << 20);
            }
        }
        if (align == 0) {
            align = align();
        }
        return variable(Space.PARAM, type, 1, align, false, null);
    }

    private Variable variable(
            Space space, PtxType type, int vector, int align, boolean external, @Nullable Scope scope) {
        Token name = reader.word();
        long elements = 1;
        boolean open = false;
        while (reader.accept("[")) {
            if (reader.accept("]")) {
                open = true;
            } else {
                elements *= reader.integer(0, MOST_BYTES);
                reader.expect("]");
                if (elements * type.bytes() * vector > MOST_BYTES) {
                    throw reader.error(name, name.text() + " has more than " + MOST_BYTES + " bytes");
                }
            }
        }
        int bytes = (int) elements * type.bytes() * vector;
        byte[] initial = null;
        List<Fixup> fixups = new ArrayList<>();
        if (scope != null && reader.accept("=")) {
            if (space != Space.GLOBAL && space != Space.CONST) {
                throw reader.error(name, "only .global and .const variables have initial values");
            }
            Initialiser initialiser = new Initialiser(type, scope);
            initialiser.value();
            initial = Arrays.copyOf(initialiser.bytes, initialiser.length);
            fixups = initialiser.fixups;
            if (open) {
                bytes = initial.length;
            } else if (initial.length > bytes) {
                throw reader.error(name, name.text() + " has " + bytes + " bytes and more initial values");
            }
        } else if (open && !external && space != Space.PARAM) {
            throw reader.error(name, name.text() + " has no size");
        } else if (open) {
            bytes = 0;
        }
        int natural = Math.max(type.bytes() * vector, 1);
        return new Variable(name.text(), space, type, align == 0 ? natural : align, bytes, initial, fixups);
    }

    private int align() {
        if (!reader.accept(".align")) {
            return 0;
        }
        Token token = reader.peek();
        int align = reader.integer(1, 1 << 20);
        if (Integer.bitCount(align) != 1) {
            throw reader.error(token, "an alignment is a power of two, not " + align);
        }
        return align;
    }

    private PtxType type() {
        Token token = reader.word();
        PtxType type = token.text().startsWith(".") ? PtxType.of(token.text().substring(1)) : null;
        if (type == null) {
            throw reader.error(token, "expected a type where \"" + token.text() + "\" stands");
        }
        return type;
    }

    /** Reads {1, 2, {3, 4}, name+8, generic(name)} into bytes. */
    private final class Initialiser {
        private final PtxType type;
        private final Scope scope;
        private final List<Fixup> fixups = new ArrayList<>();
        private byte[] bytes = new byte[16];
        private int length;

        Initialiser(PtxType type, Scope scope) {
            this.type = type;
            this.scope = scope;
        }

        void value() {
            int depth = 0;
            do {
                while (reader.accept("{")) {
                    depth++;
                }
                if (!reader.peek().is("}")) {
                    element();
                }
                while (depth > 0 && reader.accept("}")) {
                    depth--;
                }
            } while (depth > 0 && reader.accept(","));
            if (depth > 0) {
                reader.expect("}");
            }
        }

        private void element() {
            Token token = reader.peek();
            if (token.kind() != Token.Kind.WORD) {
                try {
                    put(Immediates.bits(reader.constant(), type));
                } catch (DecodeFault e) {
                    throw reader.error(token, e.what());
                }
                return;
            }
            boolean generic = reader.accept("generic");
            if (generic) {
                reader.expect("(");
            }
            Token name = reader.word();
            Variable target = scope.variable(name.text());
            if (target == null || type.bytes() != 8) {
                throw reader.error(name, "expected a number, or a variable's address in an array of 64-bit values");
            }
            if (target.space() != Space.GLOBAL && target.space() != Space.CONST) {
                throw reader.error(name, name.text() + " has no address in global memory");
            }
            long offset = offset();
            if (generic) {
                reader.expect(")");
                offset += offset();
            }
            fixups.add(new Fixup(length, target, offset));
            put(0);
        }

        private long offset() {
            return reader.peek().is("+") || reader.peek().is("-")
                    ? reader.constant().bits()
                    : 0;
        }

        private void put(long value) {
            int size = type.bytes();
            if (length + size > MOST_BYTES) {
                throw reader.error(reader.peek(), "too many initial values");
            }
            if (length + size > bytes.length) {
                bytes = Arrays.copyOf(bytes, 2 * bytes.length + size);
            }
            for (int i = 0; i < Math.min(size, 8); i++) {
                bytes[length + i] = (byte) (value >>> (8 * i));
            }
            length += size;
        }
    }
}
