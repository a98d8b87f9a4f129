package dev.obr.models.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** Turns a stream of tokens into a stream of text that is whole code points at every step: bytes of an unfinished character wait for the rest. */
public final class TextStream {
    private final Tokenizer tokenizer;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private ByteBuffer pending = ByteBuffer.allocate(64);
    private boolean atStart;

    /** A text of its own. */
    public TextStream(Tokenizer tokenizer) {
        this(tokenizer, tokenizer.dropsLeadingSpace());
    }

    private TextStream(Tokenizer tokenizer, boolean atStart) {
        this.tokenizer = tokenizer;
        this.atStart = atStart;
    }

    /** A text that goes on from another, so that a space at its start is part of it. */
    public static TextStream continuing(Tokenizer tokenizer) {
        return new TextStream(tokenizer, false);
    }

    /** The text that is complete after token {@code id}; often the token's own, "" while a character is unfinished. */
    public String append(int id) {
        byte[] bytes = tokenizer.bytes(id);
        int from = 0;
        if (atStart && bytes.length > 0) {
            from = bytes[0] == ' ' ? 1 : 0;
            atStart = false;
        }
        int length = bytes.length - from;
        if (pending.remaining() < length) {
            pending = ByteBuffer.allocate(2 * (pending.position() + length)).put(pending.flip());
        }
        pending.put(bytes, from, length);
        return decode(false);
    }

    /** The end of the text: an unfinished character becomes U+FFFD. */
    public String finish() {
        return decode(true);
    }

    private String decode(boolean end) {
        pending.flip();
        CharBuffer text = CharBuffer.allocate(pending.remaining() + 2);
        decoder.decode(pending, text, end);
        if (end) {
            decoder.flush(text);
            decoder.reset();
        }
        pending.compact();
        return text.flip().toString();
    }
}
