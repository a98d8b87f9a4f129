package dev.obr.runtime.grammar;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What a grammar says of whole texts. */
final class Reading {
    private Reading() {}

    /** Whether {@code text} is one that the grammar allows. */
    static boolean accepts(Grammar grammar, String text) {
        return accepts(grammar, text.getBytes(StandardCharsets.UTF_8));
    }

    static boolean accepts(Grammar grammar, byte[] text) {
        Acceptor acceptor = new Acceptor(grammar);
        Acceptor.@Nullable State end = acceptor.after(acceptor.start(), text);
        return end != null && end.mayEnd();
    }

    /** Whether {@code text} is the beginning of one that the grammar allows. */
    static boolean begins(Grammar grammar, String text) {
        Acceptor acceptor = new Acceptor(grammar);
        return acceptor.after(acceptor.start(), text.getBytes(StandardCharsets.UTF_8)) != null;
    }
}
