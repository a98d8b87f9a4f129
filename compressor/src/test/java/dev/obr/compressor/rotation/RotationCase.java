package dev.obr.compressor.rotation;

import dev.obr.kernels.linalg.Matrix;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** One golden case of a rotation: what the published code gave. */
record RotationCase(JsonNode json) {
    private static final Path GOLDEN = Path.of("src/test/resources/golden");

    static List<RotationCase> ofKind(String kind) {
        try {
            JsonNode manifest = JsonMapper.shared().readTree(Files.readAllBytes(GOLDEN.resolve("manifest.json")));
            return manifest.get("cases")
                    .valueStream()
                    .filter(c -> c.get("kind").stringValue().equals(kind))
                    .map(RotationCase::new)
                    .toList();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    int number(String parameter) {
        return json.get("params").get(parameter).intValue();
    }

    double tolerance() {
        return json.get("tolerance").get("abs").doubleValue();
    }

    /** An array, its last dimension as columns. */
    Matrix array(String name) {
        JsonNode array = json.get("arrays").get(name);
        JsonNode shape = array.get("shape");
        int cols = shape.get(shape.size() - 1).intValue();
        try {
            byte[] bytes = Files.readAllBytes(GOLDEN.resolve(array.get("file").stringValue()));
            float[] values = MemorySegment.ofArray(bytes)
                    .toArray(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
            return new Matrix(values.length / cols, cols, values);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    @Override
    public String toString() {
        return json.get("id").stringValue();
    }
}
