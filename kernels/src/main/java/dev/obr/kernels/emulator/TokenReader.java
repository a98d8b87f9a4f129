package dev.obr.kernels.emulator;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.Operand.Constant;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Reads tokens in order. */
final class TokenReader {
    private static final Pattern COMMENT = Pattern.compile("//[^\n]*");
    private static final Pattern SPACE = Pattern.compile("\\s+");

    private final Source source;
    private final List<Token> tokens;
    private int at;

    TokenReader(Source source) {
        this.source = source;
        this.tokens = Lexer.tokens(source);
    }

    Token peek() {
        return tokens.get(at);
    }

    Token peek(int ahead) {
        return tokens.get(Math.min(at + ahead, tokens.size() - 1));
    }

    Token next() {
        Token token = tokens.get(at);
        if (token.kind() != Token.Kind.END) {
            at++;
        }
        return token;
    }

    boolean accept(String text) {
        if (peek().is(text)) {
            at++;
            return true;
        }
        return false;
    }

    Token expect(String text) {
        Token token = next();
        if (!token.is(text)) {
            throw error(token, "expected " + text + " where " + shown(token) + " stands");
        }
        return token;
    }

    Token word() {
        Token token = next();
        if (token.kind() != Token.Kind.WORD) {
            throw error(token, "expected a name where " + shown(token) + " stands");
        }
        return token;
    }

    /** An integer, perhaps negative, that an int holds. */
    int integer(int least, int most) {
        Token token = peek();
        Constant constant = constant();
        if (constant.form() != Constant.Form.INTEGER || constant.bits() < least || constant.bits() > most) {
            throw error(token, "expected a number from " + least + " to " + most);
        }
        return (int) constant.bits();
    }

    /** A literal, perhaps negative. */
    Constant constant() {
        boolean negative = false;
        while (peek().is("-") || peek().is("+")) {
            negative ^= next().is("-");
        }
        Token token = next();
        if (token.kind() != Token.Kind.NUMBER) {
            throw error(token, "expected a number where " + shown(token) + " stands");
        }
        Constant constant = literal(token);
        if (!negative) {
            return constant;
        }
        return switch (constant.form()) {
            case INTEGER -> new Constant(-constant.bits(), Constant.Form.INTEGER);
            case F32 -> new Constant(constant.bits() ^ 1L << 31, Constant.Form.F32);
            case F64 -> new Constant(constant.bits() ^ Long.MIN_VALUE, Constant.Form.F64);
        };
    }

    private Constant literal(Token token) {
        String text = token.text();
        String lower = text.toLowerCase(Locale.ROOT);
        try {
            if (lower.startsWith("0f")) {
                return new Constant(hex(lower.substring(2), 8), Constant.Form.F32);
            }
            if (lower.startsWith("0d")) {
                return new Constant(hex(lower.substring(2), 16), Constant.Form.F64);
            }
            if (!lower.startsWith("0x") && (lower.contains(".") || lower.contains("e"))) {
                return new Constant(Double.doubleToRawLongBits(Double.parseDouble(lower)), Constant.Form.F64);
            }
            String digits = lower.endsWith("u") ? lower.substring(0, lower.length() - 1) : lower;
            long value;
            if (digits.startsWith("0x")) {
                value = Long.parseUnsignedLong(digits.substring(2), 16);
            } else if (digits.startsWith("0b")) {
                value = Long.parseUnsignedLong(digits.substring(2), 2);
            } else if (digits.length() > 1 && digits.startsWith("0")) {
                value = Long.parseUnsignedLong(digits.substring(1), 8);
            } else {
                value = Long.parseUnsignedLong(digits);
            }
            return new Constant(value, Constant.Form.INTEGER);
        } catch (NumberFormatException e) {
            throw error(token, text + " is no number");
        }
    }

    private static long hex(String digits, int count) {
        if (digits.length() != count) {
            throw new NumberFormatException();
        }
        return Long.parseUnsignedLong(digits, 16);
    }

    /** Skips what is left of a line. */
    void skipLine(int line) {
        while (peek().line() == line && peek().kind() != Token.Kind.END) {
            at++;
        }
    }

    /** Skips from an opening brace to the one that closes it. */
    void skipBraces() {
        Token open = expect("{");
        for (int depth = 1; depth > 0; ) {
            Token token = next();
            if (token.kind() == Token.Kind.END) {
                throw error(open, "a brace is not closed");
            }
            depth += token.is("{") ? 1 : token.is("}") ? -1 : 0;
        }
    }

    /** The text from a token to the one that was read last, on one line. */
    String text(Token from) {
        String text = source.text().substring(from.start(), tokens.get(at - 1).end());
        return SPACE.matcher(COMMENT.matcher(text).replaceAll("")).replaceAll(" ");
    }

    ObrException error(Token token, String what) {
        return source.error(token.line(), what);
    }

    Source source() {
        return source;
    }

    private static String shown(Token token) {
        return token.kind() == Token.Kind.END ? "the end" : "\"" + token.text() + "\"";
    }
}
