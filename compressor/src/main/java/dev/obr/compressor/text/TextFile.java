package dev.obr.compressor.text;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads a text to measure or calibrate on: a plain UTF-8 file as it is; {@code .jsonl} or {@code .ndjson} (a string or an object with {@code text} on each line) and {@code .json} (a list of those)
 * with two line ends between texts, as data sets of passages are joined.
 */
public final class TextFile {
    private static final long MAX_BYTES = 1L << 30; // one Java string cannot hold much more
    private static final String BETWEEN = "\n\n";

    private TextFile() {}

    /** @throws ObrException if the file cannot be read or holds something else */
    public static String read(Path file) {
        String content = content(file);
        String name = file.toString();
        if (name.endsWith(".jsonl") || name.endsWith(".ndjson")) {
            List<String> texts = new ArrayList<>();
            int number = 0;
            for (String line : content.lines().toList()) {
                number++;
                if (!line.isBlank()) {
                    String place = name + ", line " + number;
                    texts.add(text(parse(line, place), place));
                }
            }
            return String.join(BETWEEN, texts);
        }
        if (name.endsWith(".json")) {
            JsonNode list = parse(content, name);
            if (!list.isArray()) {
                throw new ObrException(name + " is not a JSON list of texts; give a list, JSON lines (.jsonl) or plain"
                        + " text (any other ending)");
            }
            List<String> texts = new ArrayList<>();
            for (JsonNode element : list) {
                texts.add(text(element, name + ", element " + (texts.size() + 1)));
            }
            return String.join(BETWEEN, texts);
        }
        return content;
    }

    private static String content(Path file) {
        if (Files.isDirectory(file)) {
            throw new ObrException(file + " is a folder; give a text file");
        }
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new ObrException(file + " has " + Files.size(file) + " bytes, too many for one text (limit "
                        + MAX_BYTES + "); cut it");
            }
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new ObrException(file + " does not exist; check the path", e);
        } catch (CharacterCodingException e) {
            throw new ObrException(file + " is not UTF-8; convert it, for example with iconv -t UTF-8", e);
        } catch (IOException e) {
            throw new ObrException(file + " cannot be read: " + e.getMessage() + "; check its permissions", e);
        }
    }

    private static JsonNode parse(String json, String place) {
        try {
            return JsonMapper.shared().readTree(json);
        } catch (JacksonException e) {
            throw new ObrException(
                    place + " is not valid JSON (" + Excerpt.of(e.getOriginalMessage())
                            + "); correct it, or name the file .txt if it is plain text",
                    e);
        }
    }

    private static String text(JsonNode element, String place) {
        JsonNode text = element.isObject() ? element.path("text") : element;
        if (!text.isString()) {
            throw new ObrException(place + " is " + Excerpt.of(element.toString())
                    + ", but a string or an object with a string named text is expected");
        }
        return text.stringValue();
    }
}
