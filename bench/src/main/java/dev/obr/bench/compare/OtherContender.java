package dev.obr.bench.compare;

import dev.obr.kernels.ObrException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Any other program: a command that writes one JSON object, tokens a second by test and {@code by} for what computed, e.g. {@code {"pp128": 33.0, "tg": 14.8, "by": "Jlama"}}.
 *
 * @param command the program and its arguments
 */
public record OtherContender(String name, List<String> command) implements Contender {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String BY = "by";

    public OtherContender {
        command = List.copyOf(command);
    }

    /**
     * Parses {@code NAME=COMMAND}; words of the command are told apart by spaces.
     *
     * @throws ObrException if either is missing
     */
    public static OtherContender parse(String text) {
        int equals = text.indexOf('=');
        if (equals < 1 || text.substring(equals + 1).isBlank()) {
            throw new ObrException("--peer is '" + text + "', but must be NAME=COMMAND");
        }
        return new OtherContender(
                text.substring(0, equals),
                List.of(text.substring(equals + 1).strip().split("\\s+")));
    }

    @Override
    public boolean ours() {
        return false;
    }

    @Override
    public Rates measure() {
        return parseRates(ChildProgram.output(command, Map.of()));
    }

    private Rates parseRates(String text) {
        JsonNode object;
        try {
            object = JSON.readTree(text);
        } catch (JacksonException e) {
            throw unreadable();
        }
        if (object == null || !object.isObject()) {
            throw unreadable();
        }
        Map<String, Double> rates = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            if (!field.getKey().equals(BY)) {
                if (!(field.getValue().doubleValue(0) > 0)) {
                    throw unreadable();
                }
                rates.put(field.getKey(), field.getValue().doubleValue());
            }
        }
        return new Rates(object.path(BY).asString(name), rates);
    }

    private ObrException unreadable() {
        return new ObrException("what " + command.getFirst()
                + " wrote is not one JSON object of speeds by test such as {\"pp128\": 33.0, \"tg\": 14.8}");
    }
}
