package dev.obr.models.tokenizer;

import java.util.HashMap;
import java.util.Map;

/** The tokens of a model: how each is written, and the bytes it stands for in running text. */
final class Vocabulary {
    private final String[] pieces;
    private final byte[][] bytes;
    private final Map<String, Integer> ids;

    /**
     * @param pieces by id; "" for an id without a token
     * @param bytes by id; empty for control tokens
     */
    Vocabulary(String[] pieces, byte[][] bytes) {
        this.pieces = pieces;
        this.bytes = bytes;
        this.ids = HashMap.newHashMap(pieces.length);
        for (int id = 0; id < pieces.length; id++) {
            if (!pieces[id].isEmpty()) {
                ids.putIfAbsent(pieces[id], id);
            }
        }
    }

    int size() {
        return pieces.length;
    }

    String piece(int id) {
        return pieces[checked(id)];
    }

    byte[] bytes(int id) {
        return bytes[checked(id)];
    }

    /** The id of {@code piece}, or -1. */
    int id(String piece) {
        return ids.getOrDefault(piece, -1);
    }

    private int checked(int id) {
        if (id < 0 || id >= pieces.length) {
            throw new IllegalArgumentException("token id " + id + " is outside the vocabulary of " + pieces.length);
        }
        return id;
    }
}
