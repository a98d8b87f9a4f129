package dev.obr.models.tokenizer;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The special tokens that a model expects around a text, such as the beginning-of-sequence token.
 *
 * <p>Read here and not left to the native library, which ends the whole process over a template that contradicts itself.
 */
record Surround(int[] before, int[] after) {
    private static final Surround NOTHING = new Surround(new int[0], new int[0]);

    /**
     * What the post-processor of a {@code tokenizer.json} adds.
     *
     * @throws ObrException where it is of an unsupported kind, or names tokens that are not in the vocabulary
     */
    static Surround read(JsonNode postProcessor, Vocabulary vocabulary, String source) {
        if (postProcessor.isMissingNode() || postProcessor.isNull()) {
            return NOTHING;
        }
        switch (postProcessor.path("type").asString("")) {
            case "ByteLevel" -> { // changes offsets alone
                return NOTHING;
            }
            case "TemplateProcessing" -> {
                return template(postProcessor.path("single"), vocabulary, source);
            }
            case "Sequence" -> {
                Surround found = NOTHING;
                for (JsonNode step : postProcessor.path("processors")) {
                    Surround surround = read(step, vocabulary, source);
                    found = surround == NOTHING ? found : surround;
                }
                return found;
            }
            default -> throw unsupported(postProcessor, source);
        }
    }

    /** A template: special tokens, the text (sequence A) once, special tokens. */
    private static Surround template(JsonNode pieces, Vocabulary vocabulary, String source) {
        TokenList before = new TokenList();
        TokenList after = new TokenList();
        boolean text = false;
        for (JsonNode piece : pieces) {
            if (piece.has("SpecialToken")) {
                int id = vocabulary.id(piece.path("SpecialToken").path("id").asString(""));
                if (id < 0) {
                    throw unsupported(piece, source);
                }
                (text ? after : before).add(id);
            } else if (!text && piece.path("Sequence").path("id").asString("").equals("A")) {
                text = true;
            } else {
                throw unsupported(piece, source);
            }
        }
        if (!text) {
            throw unsupported(pieces, source);
        }
        return new Surround(before.toArray(), after.toArray());
    }

    /** {@code otherwise}, unless the configuration is of one of Llama 2's classes, which decide by {@code add_bos_token} and {@code add_eos_token} alone. */
    static Surround configured(@Nullable JsonNode config, Vocabulary vocabulary, Surround otherwise) {
        if (config == null || !config.path("tokenizer_class").asString("").startsWith("LlamaTokenizer")) {
            return otherwise;
        }
        return new Surround(
                token(config.path("add_bos_token").asBoolean(true), config.path("bos_token"), "<s>", vocabulary),
                token(config.path("add_eos_token").asBoolean(false), config.path("eos_token"), "</s>", vocabulary));
    }

    /** @param token its text, or an object that holds its text as {@code content} */
    private static int[] token(boolean added, JsonNode token, String otherwise, Vocabulary vocabulary) {
        JsonNode text = token.isObject() ? token.path("content") : token;
        int id = vocabulary.id(text.asString(otherwise));
        return added && id >= 0 ? new int[] {id} : new int[0];
    }

    private static ObrException unsupported(JsonNode found, String source) {
        return new ObrException(source + ": its post-processor holds " + Excerpt.of(found.toString())
                + ", which is not supported; expected a"
                + " template of one text and special tokens of the vocabulary");
    }
}
