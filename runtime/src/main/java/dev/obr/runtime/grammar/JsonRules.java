package dev.obr.runtime.grammar;

import java.util.HashMap;
import java.util.Map;
import java.util.function.IntConsumer;

/**
 * The rules that all JSON texts share. Each is made when it is first asked for.
 *
 * <p>Blanks are limited, so that a model cannot write them for ever: nothing before a comma or colon or around the whole text; one space at most behind a colon; and behind a comma or
 * {@code [ {} and before {@code ] }}, nothing, one space, or a line end and up to {@value #INDENT} spaces. Numbers are limited to {@value DigitRules#DIGITS} digits before and behind the
 * point and two in the exponent: every one is a finite double, and every integer a long.
 */
final class JsonRules {
    static final int INDENT = 32;

    private static final String HEX = "0123456789abcdefABCDEF";

    private final GrammarBuilder grammar;
    private final Map<String, Integer> made = new HashMap<>();
    private final DigitRules digits;

    JsonRules(GrammarBuilder grammar) {
        this.grammar = grammar;
        this.digits = new DigitRules(grammar);
    }

    /** Any value of a type. */
    int value(JsonType type) {
        return switch (type) {
            case NULL -> once("null", rule -> add(rule, Sequence.of("null")));
            case BOOLEAN -> once("a boolean", rule -> add(rule, Sequence.of("true"), Sequence.of("false")));
            case INTEGER -> once("an integer", rule -> add(rule, digits.integer(-DigitRules.LIMIT, DigitRules.LIMIT)));
            case NUMBER -> once("a number", this::addNumber);
            case STRING -> once("a string", rule -> add(rule, string(0, Symbol.Repeat.ENDLESS)));
            case ARRAY -> once("an array", this::addArray);
            case OBJECT -> once("an object", this::addObject);
        };
    }

    /** Any value at all. */
    int anything() {
        return once("a value", rule -> JsonType.ALL.forEach(type -> add(rule, Sequence.of(value(type)))));
    }

    DigitRules digits() {
        return digits;
    }

    /** Behind a bracket or comma and before a bracket: nothing, a space, or a new line with its indent. */
    int gap() {
        return once("a gap", rule -> {
            int space = grammar.rule("a space", Sequence.of(" "));
            add(rule, Sequence.of(""), Sequence.of(" "), Sequence.of("\n").repeat(space, 0, INDENT));
        });
    }

    int colon() {
        return once("a colon", rule -> add(rule, Sequence.of(":"), Sequence.of(": ")));
    }

    int comma() {
        return once("a comma", rule -> add(rule, Sequence.of(",").rule(gap())));
    }

    /** A string of {@code min} to {@code max} characters. */
    Sequence string(int min, int max) {
        return Sequence.of("\"").repeat(character(), min, max).text("\"");
    }

    /** A character inside a string, plain or escaped; characters beyond U+FFFF count once, in either form. */
    int character() {
        return once("a character", rule -> {
            ByteSet hex = ByteSet.of(HEX);
            ByteSet notD = ByteSet.of(HEX.replaceAll("[dD]", ""));
            add(rule, plain().utf8());
            add(rule, Sequence.of("\\").bytes(ByteSet.of("\"\\/bfnrt")));
            add(rule, Sequence.of("\\u").bytes(notD).bytes(hex).bytes(hex).bytes(hex));
            add(rule, escapeFromD("01234567"));
            add(rule, escapeFromD("89abAB").then(escapeFromD("cdefCDEF"))); // a pair of surrogates
        });
    }

    /** The characters that stand for themselves inside a string. */
    static CodePointSet plain() {
        return CodePointSet.of(new CodePointSet.Range(0, 0x1F))
                .or(CodePointSet.of("\"\\"))
                .complement();
    }

    /** {@code text} as JSON writes it, with no more escapes than needed. */
    static String quoted(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean pair = Character.isHighSurrogate(c)
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1));
            if (pair) {
                json.append(c).append(text.charAt(++i));
            } else {
                json.append(escaped(c));
            }
        }
        return json.append('"').toString();
    }

    private static String escaped(char c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            // an unpaired surrogate has no UTF-8, so it is escaped as control characters are
            default -> c < 0x20 || Character.isSurrogate(c) ? String.format("\\u%04x", (int) c) : String.valueOf(c);
        };
    }

    /** An escape of {@code D000} to {@code DFFF} whose second digit is one of {@code digits}. */
    private static Sequence escapeFromD(String digits) {
        ByteSet hex = ByteSet.of(HEX);
        return Sequence.of("\\u")
                .bytes(ByteSet.of("dD"))
                .bytes(ByteSet.of(digits))
                .bytes(hex)
                .bytes(hex);
    }

    private void addNumber(int number) {
        int integer = digits.magnitude(0, DigitRules.LIMIT);
        int fraction = grammar.rule("a fraction", Sequence.of(""), digits.fraction());
        int sign = grammar.rule("a sign", Sequence.of(""), new Sequence().bytes(ByteSet.of("+-")));
        int exponent = grammar.rule(
                "an exponent",
                Sequence.of(""),
                new Sequence().bytes(ByteSet.of("eE")).rule(sign).repeat(digits.digit(), 1, 2));
        add(number, Sequence.of(integer).rule(fraction).rule(exponent));
        add(number, Sequence.of("-").rule(integer).rule(fraction).rule(exponent));
    }

    private void addArray(int array) {
        int further = grammar.rule("items", Sequence.of(comma()).rule(anything()));
        add(array, Sequence.of("[").rule(gap()).text("]"));
        add(
                array,
                Sequence.of("[")
                        .rule(gap())
                        .rule(anything())
                        .repeat(further, 0, Symbol.Repeat.ENDLESS)
                        .rule(gap())
                        .text("]"));
    }

    private void addObject(int object) {
        int member = grammar.rule(
                "a member", Sequence.of(value(JsonType.STRING)).rule(colon()).rule(anything()));
        int further = grammar.rule("members", Sequence.of(comma()).rule(member));
        add(object, Sequence.of("{").rule(gap()).text("}"));
        add(
                object,
                Sequence.of("{")
                        .rule(gap())
                        .rule(member)
                        .repeat(further, 0, Symbol.Repeat.ENDLESS)
                        .rule(gap())
                        .text("}"));
    }

    private void add(int rule, Sequence... alternatives) {
        for (Sequence alternative : alternatives) {
            grammar.add(rule, alternative);
        }
    }

    /** The rule of this name; it is known, so that rules within it may refer to it, before {@code alternatives} adds them. */
    private int once(String name, IntConsumer alternatives) {
        Integer known = made.get(name);
        if (known != null) {
            return known;
        }
        int rule = grammar.rule(name);
        made.put(name, rule);
        alternatives.accept(rule);
        return rule;
    }
}
