package dev.obr.runtime.chat;

import java.util.List;
import java.util.Set;

/** An answer while it comes: what of it is said to the user, and which functions it calls. */
public final class AnswerReader {
    private final ToolCallReader calls;
    private final StringBuilder text = new StringBuilder();
    private boolean dropsSpace;

    /**
     * @param functions that may be called; a call of another is text
     * @param inCall whether the answer begins inside a call
     * @param dropsSpace whether a space before the text is none of it: SentencePiece vocabularies put one before every text
     */
    public AnswerReader(Set<String> functions, boolean inCall, boolean dropsSpace) {
        this.calls = new ToolCallReader(functions, inCall);
        this.dropsSpace = dropsSpace;
    }

    /** Takes a piece of the answer; returns what of it is said. */
    public String append(String piece) {
        return said(calls.append(piece));
    }

    /** The end of the answer; returns what was held back. */
    public String finish() {
        return said(calls.finish());
    }

    private String said(String piece) {
        String shown = dropsSpace && piece.startsWith(" ") ? piece.substring(1) : piece;
        dropsSpace &= piece.isEmpty();
        text.append(shown);
        return shown;
    }

    /** What was said so far. */
    public String text() {
        return text.toString();
    }

    /** The calls so far. */
    public List<ToolCall> calls() {
        return calls.calls();
    }
}
