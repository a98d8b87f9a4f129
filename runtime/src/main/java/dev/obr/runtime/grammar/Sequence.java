package dev.obr.runtime.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** One alternative of a rule while it is written down: symbols, one after the other. */
final class Sequence {
    private final List<Symbol> symbols = new ArrayList<>();

    /** An alternative that starts with {@code text}; "" for one that starts with what follows. */
    static Sequence of(String text) {
        return new Sequence().text(text);
    }

    /** An alternative that starts with a text of {@code rule}. */
    static Sequence of(int rule) {
        return new Sequence().rule(rule);
    }

    /** The UTF-8 bytes of {@code text}. */
    Sequence text(String text) {
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            bytes(ByteSet.range(b & 0xFF, b & 0xFF));
        }
        return this;
    }

    Sequence bytes(ByteSet set) {
        symbols.add(new Symbol.Bytes(set));
        return this;
    }

    Sequence rule(int rule) {
        symbols.add(new Symbol.Call(rule));
        return this;
    }

    /** @param max {@link Symbol.Repeat#ENDLESS} where there is no limit */
    Sequence repeat(int rule, int min, int max) {
        symbols.add(new Symbol.Repeat(rule, min, max));
        return this;
    }

    Sequence then(Sequence other) {
        symbols.addAll(other.symbols);
        return this;
    }

    List<Symbol> symbols() {
        return symbols;
    }
}
