package dev.obr.kernels.emulator;

import java.util.ArrayList;
import java.util.List;

/** Cuts PTX into tokens; comments and preprocessor lines are dropped. */
final class Lexer {
    private final Source source;
    private final String text;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int line = 1;

    private Lexer(Source source) {
        this.source = source;
        this.text = source.text();
    }

    static List<Token> tokens(Source source) {
        return new Lexer(source).all();
    }

    private List<Token> all() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '\n') {
                line++;
                at++;
            } else if (c <= ' ') {
                at++;
            } else if (c == '/' && peek(1) == '/') {
                skipLine();
            } else if (c == '/' && peek(1) == '*') {
                skipComment();
            } else if (c == '#') {
                skipLine();
            } else if (c == '"') {
                string();
            } else if (isDigit(c)) {
                number();
            } else if (startsWord(c)) {
                word();
            } else if ("{}[](),;:@!|+-<>=".indexOf(c) >= 0) {
                add(Token.Kind.MARK, at + 1);
            } else {
                throw source.error(line, "no PTX begins with the character '" + c + "'");
            }
        }
        tokens.add(new Token(Token.Kind.END, "", line, at));
        return tokens;
    }

    private void add(Token.Kind kind, int end) {
        tokens.add(new Token(kind, text.substring(at, end), line, at));
        at = end;
    }

    private void skipLine() {
        while (at < text.length() && text.charAt(at) != '\n') {
            at++;
        }
    }

    private void skipComment() {
        int end = text.indexOf("*/", at + 2);
        if (end < 0) {
            throw source.error(line, "a comment does not end");
        }
        line += (int) text.substring(at, end).chars().filter(c -> c == '\n').count();
        at = end + 2;
    }

    private void string() {
        int end = at + 1;
        while (end < text.length() && text.charAt(end) != '"' && text.charAt(end) != '\n') {
            end += text.charAt(end) == '\\' ? 2 : 1;
        }
        if (end >= text.length() || text.charAt(end) != '"') {
            throw source.error(line, "a string does not end");
        }
        add(Token.Kind.STRING, end + 1);
    }

    /** Digits of any base, with a decimal point or exponent where it is a decimal float; what they mean is the parser's matter. */
    private void number() {
        int end = at + 1;
        boolean decimal = text.charAt(at) != '0' || !isLetter(peek(1));
        while (end < text.length()) {
            char c = text.charAt(end);
            boolean exponentSign = decimal && (c == '-' || c == '+') && (text.charAt(end - 1) | 32) == 'e';
            boolean point = decimal && c == '.' && end + 1 < text.length() && isDigit(text.charAt(end + 1));
            if (!isLetter(c) && !isDigit(c) && !exponentSign && !point) {
                break;
            }
            end++;
        }
        add(Token.Kind.NUMBER, end);
    }

    private void word() {
        int end = at + 1;
        while (end < text.length()) {
            char c = text.charAt(end);
            if (c == '.'
                    && end + 1 < text.length()
                    && (isLetter(text.charAt(end + 1)) || isDigit(text.charAt(end + 1)))) {
                end++;
            } else if (text.startsWith("::", end)
                    && end + 2 < text.length()
                    && (isLetter(text.charAt(end + 2)) || isDigit(text.charAt(end + 2)))) {
                end += 2;
            } else if (isLetter(c) || isDigit(c) || c == '_' || c == '$' || c == '%') {
                end++;
            } else {
                break;
            }
        }
        add(Token.Kind.WORD, end);
    }

    private char peek(int ahead) {
        return at + ahead < text.length() ? text.charAt(at + ahead) : 0;
    }

    private static boolean startsWord(char c) {
        return isLetter(c) || c == '_' || c == '$' || c == '%' || c == '.';
    }

    private static boolean isLetter(char c) {
        return (c | 32) >= 'a' && (c | 32) <= 'z';
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }
}
