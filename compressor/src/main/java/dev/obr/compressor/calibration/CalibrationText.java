package dev.obr.compressor.calibration;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.MappedFile;
import dev.obr.models.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Calibration text out of a file: its texts joined by a blank line, to be tokenised as one string.
 *
 * <pre>
 *   name ends in .jsonl or .ndjson    one JSON object with a field "text", or one JSON string, a line
 *   name ends in .json                a JSON list of strings, or of objects with a field "text"
 *   any other                         plain UTF-8 text
 * </pre>
 *
 * @param source the file, for messages
 * @param text all texts joined
 */
public record CalibrationText(String source, String text) {
    private static final String SEPARATOR = "\n\n";
    private static final long MAX_BYTES = 1L << 30; // one Java string can't hold much more

    /**
     * Reads a file.
     *
     * @throws ObrException where it can't be read, is no UTF-8, or is no JSON of the form that its name promises
     */
    public static CalibrationText read(Path file) {
        String content = content(file);
        String name = file.toString();
        if (name.endsWith(".jsonl") || name.endsWith(".ndjson")) {
            return new CalibrationText(name, String.join(SEPARATOR, lines(content, name)));
        }
        if (name.endsWith(".json")) {
            return new CalibrationText(name, String.join(SEPARATOR, list(content, name)));
        }
        return new CalibrationText(name, content);
    }

    /** The text's tokens, with what the model expects around a text, such as one beginning-of-sequence token. */
    public int[] tokens(Tokenizer tokenizer) {
        return tokenizer.encode(text, true);
    }

    private static String content(Path file) {
        try {
            long size = Files.size(file);
            if (size > MAX_BYTES) {
                throw new ObrException(file + " has " + size + " bytes, too many for calibration text (limit "
                        + MAX_BYTES + "); cut it");
            }
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(Files.readAllBytes(file)))
                    .toString();
        } catch (CharacterCodingException malformed) {
            throw new ObrException(file + " is not UTF-8 text; convert it", malformed);
        } catch (NoSuchFileException missing) {
            throw new ObrException(file + " does not exist; give a text, JSON or JSONL file to calibrate on", missing);
        } catch (IOException failure) {
            throw new ObrException(MappedFile.cannotRead(file, failure), failure);
        }
    }

    private static List<String> lines(String content, String source) {
        List<String> texts = new ArrayList<>();
        int number = 0;
        for (String line : content.split("\r?\n", -1)) {
            number++;
            if (!line.isBlank()) {
                texts.add(text(parsed(line, source + ", line " + number), source + ", line " + number));
            }
        }
        return texts;
    }

    private static List<String> list(String content, String source) {
        JsonNode root = parsed(content, source);
        if (!root.isArray()) {
            throw new ObrException(source + " is no JSON list of texts; give one, or a .jsonl or text file");
        }
        List<String> texts = new ArrayList<>();
        for (JsonNode item : root) {
            texts.add(text(item, source + ", item " + (texts.size() + 1)));
        }
        return texts;
    }

    private static JsonNode parsed(String json, String source) {
        try {
            return JsonMapper.shared().readTree(json);
        } catch (JacksonException malformed) {
            throw new ObrException(source + " is not valid JSON; correct it, or name plain text .txt", malformed);
        }
    }

    private static String text(JsonNode item, String source) {
        JsonNode text = item.isObject() ? item.path("text") : item;
        if (!text.isString()) {
            throw new ObrException(source + " is neither a string nor an object with a field \"text\"; correct it");
        }
        return text.stringValue();
    }
}
