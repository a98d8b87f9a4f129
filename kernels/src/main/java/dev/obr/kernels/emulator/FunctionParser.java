package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.Operand.Address;
import dev.obr.kernels.emulator.Operand.Arguments;
import dev.obr.kernels.emulator.Operand.Constant;
import dev.obr.kernels.emulator.Operand.Name;
import dev.obr.kernels.emulator.Operand.Pair;
import dev.obr.kernels.emulator.Operand.Register;
import dev.obr.kernels.emulator.Operand.RegisterOperand;
import dev.obr.kernels.emulator.Operand.Sink;
import dev.obr.kernels.emulator.Operand.Special;
import dev.obr.kernels.emulator.Operand.Symbol;
import dev.obr.kernels.emulator.Operand.Vector;
import dev.obr.kernels.emulator.ParsedModule.Guard;
import dev.obr.kernels.emulator.ParsedModule.Item;
import dev.obr.kernels.emulator.ParsedModule.LabelItem;
import dev.obr.kernels.emulator.ParsedModule.Statement;
import dev.obr.kernels.emulator.Variable.Space;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads the body of a function: declarations, labels, nested blocks and instructions. */
final class FunctionParser {
    private static final int WARP_SIZE = 32;

    private final TokenReader reader;
    private final DeclarationParser declarations;
    private final List<Item> items = new ArrayList<>();
    private Scope scope;

    FunctionParser(TokenReader reader, DeclarationParser declarations, Scope scope) {
        this.reader = reader;
        this.declarations = declarations;
        this.scope = scope;
    }

    List<Item> body() {
        Token open = reader.expect("{");
        int depth = 1;
        while (depth > 0) {
            Token token = reader.peek();
            if (token.kind() == Token.Kind.END) {
                throw reader.error(open, "a brace is not closed");
            }
            if (reader.accept("{")) {
                depth++;
                scope = new Scope(scope);
            } else if (reader.accept("}")) {
                depth--;
                if (depth > 0 && scope.parent != null) {
                    scope = scope.parent;
                }
            } else if (!reader.accept(";")) {
                item(token);
            }
        }
        return items;
    }

    private void item(Token token) {
        if (token.kind() == Token.Kind.WORD && token.text().startsWith(".")) {
            reader.next();
            declaration(token);
        } else if (token.kind() == Token.Kind.WORD && reader.peek(1).is(":")) {
            reader.next();
            reader.next();
            label(token);
        } else {
            statement(token);
        }
    }

    private void declaration(Token token) {
        switch (token.text()) {
            case ".reg" -> declarations.registers(scope);
            case ".shared" -> declarations.variables(Space.SHARED, scope, false, new ArrayList<>());
            case ".local" -> declarations.variables(Space.LOCAL, scope, false, new ArrayList<>());
            case ".param" -> declarations.variables(Space.PARAM, scope, false, new ArrayList<>());
            case ".loc", ".file" -> reader.skipLine(token.line());
            case ".pragma" -> {
                do {
                    reader.next();
                } while (reader.accept(","));
                reader.expect(";");
            }
            default -> throw reader.error(token, "unknown directive \"" + token.text() + "\"");
        }
    }

    private void label(Token name) {
        try {
            if (reader.accept(".branchtargets")) {
                List<String> targets = new ArrayList<>();
                do {
                    targets.add(reader.word().text());
                } while (reader.accept(","));
                reader.expect(";");
                scope.declareTargets(name.text(), targets);
                return;
            }
            items.add(new LabelItem(scope.declareLabel(name.text())));
        } catch (DecodeFault e) {
            throw reader.error(name, e.what());
        }
    }

    private void statement(Token first) {
        Guard guard = guard();
        Token opcode = reader.word();
        List<Operand> operands = new ArrayList<>();
        if (!reader.peek().is(";")) {
            do {
                operands.add(operand());
            } while (reader.accept(","));
        }
        reader.expect(";");
        items.add(new Statement(first.line(), reader.text(first), guard, opcode.text(), operands, scope));
    }

    private @Nullable Guard guard() {
        if (!reader.accept("@")) {
            return null;
        }
        boolean negated = reader.accept("!");
        Token name = reader.word();
        Register register = scope.register(name.text());
        if (register == null || register.type() != PtxType.PRED) {
            throw reader.error(name, name.text() + " is no predicate");
        }
        return new Guard(register, negated);
    }

    private Operand operand() {
        if (reader.accept("(")) {
            List<Operand> elements = new ArrayList<>();
            if (!reader.accept(")")) {
                do {
                    elements.add(single());
                } while (reader.accept(","));
                reader.expect(")");
            }
            return new Arguments(elements);
        }
        Operand first = single();
        return reader.accept("|") ? new Pair(first, single()) : first;
    }

    private Operand single() {
        Token token = reader.peek();
        if (reader.accept("{")) {
            List<Operand> elements = new ArrayList<>();
            do {
                elements.add(single());
            } while (reader.accept(","));
            reader.expect("}");
            return new Vector(elements);
        }
        if (reader.accept("[")) {
            return address();
        }
        if (reader.accept("!")) {
            Token name = reader.word();
            Register register = scope.register(name.text());
            if (register == null || register.type() != PtxType.PRED) {
                throw reader.error(name, name.text() + " is no predicate");
            }
            return new RegisterOperand(register, true);
        }
        if (token.kind() != Token.Kind.WORD) {
            return reader.constant();
        }
        return named(reader.next());
    }

    private Operand named(Token token) {
        String name = token.text();
        Register register = scope.register(name);
        if (register != null) {
            return new RegisterOperand(register, false);
        }
        Variable variable = scope.variable(name);
        if (variable != null) {
            return new Symbol(variable, offset());
        }
        if (name.equals("_")) {
            return new Sink();
        }
        if (name.equals("WARP_SZ")) {
            return new Constant(WARP_SIZE, Constant.Form.INTEGER);
        }
        if (name.startsWith("%")) {
            if (!SpecialRegister.known(name)) {
                throw reader.error(token, "unknown register " + name);
            }
            return new Special(name);
        }
        return new Name(name, scope);
    }

    /** After the bracket. */
    private Operand address() {
        Register base = null;
        Variable symbol = null;
        long offset = 0;
        if (reader.peek().kind() == Token.Kind.WORD) {
            Token name = reader.next();
            base = scope.register(name.text());
            symbol = base == null ? scope.variable(name.text()) : null;
            if (base == null && symbol == null) {
                throw reader.error(name, "unknown name " + name.text());
            }
            offset = offset();
        } else {
            offset = reader.constant().bits();
        }
        reader.expect("]");
        return new Address(base, symbol, offset);
    }

    /** As in +16, -8 or +-8, if there is one. */
    private long offset() {
        long offset = 0;
        while (reader.peek().is("+") || reader.peek().is("-")) {
            Token token = reader.peek();
            Constant constant = reader.constant();
            if (constant.form() != Constant.Form.INTEGER) {
                throw reader.error(token, "an offset is a whole number");
            }
            offset += constant.bits();
        }
        return offset;
    }
}
