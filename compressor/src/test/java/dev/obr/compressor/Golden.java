package dev.obr.compressor;

import dev.obr.kernels.linalg.Matrix;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * One golden case: what the published code computed from known inputs.
 *
 * @param json its entry in the manifest
 * @param input its input's entry, missing where it has none
 */
public record Golden(String id, JsonNode json, JsonNode input) {
    private static final Path FOLDER = Path.of("src/test/resources/golden");

    /** The cases of one kind. */
    public static List<Golden> ofKind(String kind) {
        JsonNode manifest = manifest();
        return manifest.path("cases")
                .valueStream()
                .filter(json -> json.path("kind").asString().equals(kind))
                .map(json -> new Golden(
                        json.path("id").asString(),
                        json,
                        manifest.path("inputs").path(json.path("input").asString(""))))
                .toList();
    }

    /** The input of that name, as a case of its own. */
    public static Golden input(String name) {
        JsonNode input = manifest().path("inputs").path(name);
        return new Golden("input " + name, input, input);
    }

    private static JsonNode manifest() {
        try {
            return JsonMapper.shared().readTree(Files.readAllBytes(FOLDER.resolve("manifest.json")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public JsonNode parameter(String name) {
        return json.path("params").path(name);
    }

    public double scalar(String name) {
        return json.path("scalars").path(name).asDouble();
    }

    public double tolerance(String name) {
        return json.path("tolerance").path(name).asDouble();
    }

    public boolean has(String array) {
        return json.path("arrays").has(array);
    }

    /** The values of one of the case's arrays. */
    public float[] array(String name) {
        return read(json.path("arrays").path(name));
    }

    /** One of the case's arrays, its last dimension the columns. */
    public Matrix matrix(String name) {
        return matrix(json.path("arrays").path(name));
    }

    public float[] inputArray(String name) {
        return read(input.path("arrays").path(name));
    }

    public Matrix inputMatrix(String name) {
        return matrix(input.path("arrays").path(name));
    }

    private static Matrix matrix(JsonNode array) {
        float[] values = read(array);
        JsonNode shape = array.path("shape");
        int cols = shape.get(shape.size() - 1).asInt();
        return new Matrix(values.length / cols, cols, values);
    }

    private static float[] read(JsonNode array) {
        try {
            ByteBuffer bytes = ByteBuffer.wrap(
                            Files.readAllBytes(FOLDER.resolve(array.path("file").asString())))
                    .order(ByteOrder.LITTLE_ENDIAN);
            float[] values = new float[bytes.remaining() / 4];
            bytes.asFloatBuffer().get(values);
            return values;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return id;
    }
}
