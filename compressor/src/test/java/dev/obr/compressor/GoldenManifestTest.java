package dev.obr.compressor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The golden cases that the compression methods are held to are whole: every array is there, with the bytes that its shape asks for, and nothing else is. */
class GoldenManifestTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden");

    @Test
    void everyArrayHasItsShapesBytes() throws IOException {
        JsonNode manifest = JsonMapper.shared().readTree(Files.readAllBytes(GOLDEN.resolve("manifest.json")));
        Set<String> named = new TreeSet<>();
        for (JsonNode array : manifest.findValues("arrays").stream()
                .flatMap(JsonNode::valueStream)
                .toList()) {
            String file = array.path("file").asString();
            long elements = array.path("shape")
                    .valueStream()
                    .mapToLong(JsonNode::longValue)
                    .reduce(1, (a, b) -> a * b);
            assertThat(GOLDEN.resolve(file)).hasSize(4 * elements);
            named.add(file);
        }
        assertThat(manifest.path("cases").size()).isEqualTo(162);
        try (Stream<Path> files = Files.walk(GOLDEN)) {
            Set<String> present = files.filter(f -> f.toString().endsWith(".bin"))
                    .map(f -> GOLDEN.relativize(f).toString().replace('\\', '/'))
                    .collect(Collectors.toCollection(TreeSet::new));
            assertThat(present).isEqualTo(named);
        }
    }
}
