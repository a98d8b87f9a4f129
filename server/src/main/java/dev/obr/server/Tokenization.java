package dev.obr.server;

import dev.obr.kernels.ObrException;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** {@code POST /tokenize} and {@code /detokenize}. */
final class Tokenization {
    private Tokenization() {}

    /** {@code content} (or {@code prompt}) as token ids; with {@code with_pieces} each beside its text. */
    static Object tokenize(Service service, Fields body) {
        String name = body.has("prompt") ? "prompt" : "content";
        String text = body.requiredText(name);
        boolean pieces = body.flag("with_pieces");
        int[] ids;
        try {
            ids = service.tokens(text, body.flag("add_special"));
        } catch (ObrException e) {
            throw ApiException.wrong(name, String.valueOf(e.getMessage()));
        }
        List<Object> tokens = new ArrayList<>();
        for (int id : ids) {
            tokens.add(pieces ? Json.object("id", id, "piece", service.shown(id)) : (Object) id);
        }
        return Json.object(
                "tokens",
                tokens,
                "count",
                ids.length,
                "max_model_len",
                service.model().contextLength());
    }

    /** {@code tokens} as text. */
    static Object detokenize(Service service, Fields body) {
        JsonNode tokens = body.get("tokens");
        if (tokens == null || !tokens.isArray()) {
            throw body.unusable("tokens", "a list of token ids");
        }
        int[] ids = ids("tokens", tokens, service.model().config().vocabularySize());
        return Json.object("content", service.model().tokenizer().decode(ids));
    }

    /** A list of token ids. */
    static int[] ids(String parameter, JsonNode list, int vocabularySize) {
        int[] ids = new int[list.size()];
        for (int i = 0; i < ids.length; i++) {
            JsonNode id = list.get(i);
            boolean right = id.isIntegralNumber()
                    && id.canConvertToInt()
                    && id.intValue() >= 0
                    && id.intValue() < vocabularySize;
            if (!right) {
                throw ApiException.wrong(
                        parameter,
                        parameter + " holds " + Fields.shown(id) + ", but must hold token ids, 0 to "
                                + (vocabularySize - 1) + ".");
            }
            ids[i] = id.intValue();
        }
        return ids;
    }
}
