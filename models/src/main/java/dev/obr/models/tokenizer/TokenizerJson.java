package dev.obr.models.tokenizer;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import dev.obr.models.file.JsonFile;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * What this runtime reads itself in a {@code tokenizer.json}: its tokens, how its decoder turns them into bytes, and what surrounds a text.
 *
 * @param vocabulary all tokens, the added ones included
 * @param dropsLeadingSpace whether the decoder strips the space that the normalizer put before the text
 * @param surround what the post-processor puts around a text
 */
record TokenizerJson(Vocabulary vocabulary, boolean dropsLeadingSpace, Surround surround) {
    private static final int MAX_ID = 1 << 22;
    private static final byte[] NO_BYTES = {};

    private enum Writing {
        BYTE_ALPHABET,
        SENTENCEPIECE
    }

    /** @throws ObrException where the JSON is malformed, or its model or decoder is of a kind that is not supported */
    static TokenizerJson parse(byte[] json, String source) {
        return new Reader(source).read(JsonFile.parse(json, source).root());
    }

    /** The steps of reading one file. */
    private static final class Reader {
        private final String source;
        private String[] pieces = new String[1024];
        private int size;

        Reader(String source) {
            this.source = source;
        }

        TokenizerJson read(JsonNode root) {
            JsonNode model = root.path("model");
            String kind = model.path("type").asString("BPE");
            if (!kind.equals("BPE")) {
                throw error("its model is of type " + kind + ", only BPE is supported");
            }
            JsonNode vocabulary = model.path("vocab");
            if (!vocabulary.isObject() || vocabulary.isEmpty()) {
                throw error("model.vocab is missing or empty");
            }
            for (Map.Entry<String, JsonNode> entry : vocabulary.properties()) {
                add(entry.getValue(), entry.getKey());
            }
            List<Integer> control = new ArrayList<>();
            for (JsonNode token : root.path("added_tokens")) {
                int id = add(token.path("id"), token.path("content").asString(""));
                if (token.path("special").asBoolean(false)) {
                    control.add(id);
                }
            }
            return decoded(root.path("decoder"), control, root.path("post_processor"));
        }

        private int add(JsonNode number, String piece) {
            if (!number.isIntegralNumber() || number.asLong(-1) < 0 || number.asLong(-1) >= MAX_ID) {
                throw error("the id of token '" + Excerpt.of(piece) + "' is " + Excerpt.of(number.toString())
                        + ", not between 0 and " + (MAX_ID - 1));
            }
            int id = number.asInt();
            if (id >= pieces.length) {
                pieces = Arrays.copyOf(pieces, Math.max(id + 1, 2 * pieces.length));
            }
            if (pieces[id] != null && !pieces[id].equals(piece)) {
                throw error(
                        "tokens '" + Excerpt.of(pieces[id]) + "' and '" + Excerpt.of(piece) + "' both have id " + id);
            }
            pieces[id] = piece;
            size = Math.max(size, id + 1);
            return id;
        }

        private TokenizerJson decoded(JsonNode decoder, List<Integer> control, JsonNode postProcessor) {
            List<JsonNode> steps = new ArrayList<>();
            flatten(decoder, steps);
            Writing writing = null;
            boolean byteFallback = false;
            boolean strips = false;
            for (JsonNode step : steps) {
                String type = step.path("type").asString("");
                switch (type) {
                    case "ByteLevel" -> writing = Writing.BYTE_ALPHABET;
                    case "Replace" -> {
                        expect(
                                step,
                                step.path("pattern").path("String").asString("").equals("▁")
                                        && step.path("content").asString("").equals(" "));
                        writing = Writing.SENTENCEPIECE;
                    }
                    case "ByteFallback" -> byteFallback = true;
                    case "Fuse" -> {}
                    case "Strip" -> {
                        expect(
                                step,
                                step.path("content").asString("").equals(" ")
                                        && step.path("start").asInt(-1) == 1
                                        && step.path("stop").asInt(-1) == 0);
                        strips = true;
                    }
                    default -> throw unsupported(step);
                }
            }
            if (writing == null || (writing == Writing.BYTE_ALPHABET && steps.size() > 1)) {
                throw unsupported(decoder);
            }
            Vocabulary vocabulary = vocabulary(writing, byteFallback, control);
            return new TokenizerJson(vocabulary, strips, Surround.read(postProcessor, vocabulary, source));
        }

        private static void flatten(JsonNode decoder, List<JsonNode> steps) {
            if (decoder.path("type").asString("").equals("Sequence")) {
                for (JsonNode step : decoder.path("decoders")) {
                    steps.add(step);
                }
            } else {
                steps.add(decoder);
            }
        }

        private Vocabulary vocabulary(Writing writing, boolean byteFallback, List<Integer> control) {
            byte[][] bytes = new byte[size][];
            String[] texts = new String[size];
            for (int id = 0; id < size; id++) {
                texts[id] = pieces[id] == null ? "" : pieces[id];
                bytes[id] = writing == Writing.BYTE_ALPHABET
                        ? ByteAlphabet.read(texts[id])
                        : sentencePieceBytes(texts[id], byteFallback);
            }
            for (int id : control) {
                bytes[id] = NO_BYTES;
            }
            return new Vocabulary(texts, bytes);
        }

        private static byte[] sentencePieceBytes(String piece, boolean byteFallback) {
            int b = byteFallback ? ByteFallback.value(piece) : -1;
            return b >= 0
                    ? new byte[] {(byte) b}
                    : piece.replace(SentencePieceBpe.SPACE, ' ').getBytes(StandardCharsets.UTF_8);
        }

        private void expect(JsonNode step, boolean known) {
            if (!known) {
                throw unsupported(step);
            }
        }

        private ObrException unsupported(@Nullable JsonNode decoder) {
            return error("its decoder " + Excerpt.of(String.valueOf(decoder))
                    + " is not supported; known are ByteLevel, and SentencePiece's Replace,"
                    + " ByteFallback, Fuse and Strip");
        }

        private ObrException error(String found) {
            return new ObrException(
                    source + ": " + found + "; use the tokenizer.json that was published with the model");
        }
    }
}
