package dev.obr.compressor.eval.zeroshot;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.JsonFile;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** The fields of one line of a task's file, checked as they are read. */
record TaskLine(JsonFile object) {
    /** A text that is not empty. */
    String text(String field) {
        String text = object.text(field);
        if (text == null || text.isEmpty()) {
            throw object.unusable(field, "a text");
        }
        return text;
    }

    /** Two texts or more. */
    List<String> texts(String field) {
        List<String> texts = new ArrayList<>();
        @Nullable JsonNode list = object.find(field);
        if (list != null && list.isArray()) {
            for (JsonNode element : list) {
                if (!element.isString() || element.stringValue().isEmpty()) {
                    throw object.unusable(field, "a list of texts");
                }
                texts.add(element.stringValue());
            }
        }
        if (texts.size() < 2) {
            throw object.unusable(field, "a list of two texts or more");
        }
        return texts;
    }

    /** {@code gold}, the index of the right one of {@code choices}. */
    int gold(int choices) {
        int gold = object.integer("gold", 0);
        if (gold >= choices) {
            throw new ObrException(object.source() + ": gold is " + gold + ", but there are " + choices
                    + " choices, counted from 0; correct the file");
        }
        return gold;
    }
}
