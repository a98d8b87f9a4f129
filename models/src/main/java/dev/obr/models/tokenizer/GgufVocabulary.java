package dev.obr.models.tokenizer;

import java.util.HashMap;
import java.util.Map;

/** The tokens of a GGUF file and what kind each is, checked. */
final class GgufVocabulary {
    /** What a token is for; the file stores 1 to 6 in this order. */
    enum Kind {
        NORMAL,
        UNKNOWN,
        CONTROL,
        USER_DEFINED,
        UNUSED,
        BYTE
    }

    static final byte[] NO_BYTES = {};

    private final String[] pieces;
    private final Kind[] kinds;

    private GgufVocabulary(String[] pieces, Kind[] kinds) {
        this.pieces = pieces;
        this.kinds = kinds;
    }

    static GgufVocabulary read(GgufKeys keys) {
        String[] pieces = keys.strings("tokens");
        if (pieces.length == 0) {
            throw keys.error("tokenizer.ggml.tokens is empty");
        }
        int[] types = keys.integers("token_type", pieces.length);
        Kind[] kinds = new Kind[pieces.length];
        for (int id = 0; id < pieces.length; id++) {
            kinds[id] = Kind.NORMAL;
            if (types != null) {
                if (types[id] < 1 || types[id] > Kind.values().length) {
                    throw keys.error("tokenizer.ggml.token_type[" + id + "] is " + types[id] + ", not 1 to 6");
                }
                kinds[id] = Kind.values()[types[id] - 1];
            }
        }
        return new GgufVocabulary(pieces, kinds);
    }

    int size() {
        return pieces.length;
    }

    String piece(int id) {
        return pieces[id];
    }

    Kind kind(int id) {
        return kinds[id];
    }

    Vocabulary vocabulary(byte[][] bytes) {
        return new Vocabulary(pieces, bytes);
    }

    /** The tokens that are recognised where they are written out in a text. */
    SpecialTokens special() {
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < pieces.length; id++) {
            boolean special = kinds[id] == Kind.CONTROL || kinds[id] == Kind.USER_DEFINED || kinds[id] == Kind.UNKNOWN;
            if (special && !pieces[id].isEmpty()) {
                ids.putIfAbsent(pieces[id], id);
            }
        }
        return new SpecialTokens(ids);
    }
}
