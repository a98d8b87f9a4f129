package dev.obr.models.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsShardsTest {
    @TempDir
    Path folder;

    @BeforeEach
    void writeShards() {
        for (String name : List.of("one", "two")) {
            new SafetensorsWriter()
                    .tensor(name, DType.F16, List.of(1), out -> out.write(ByteBuffer.allocate(2)))
                    .write(folder.resolve(name + ".safetensors"));
        }
    }

    @Test
    void collectsTheTensorsOfAllShards() throws IOException {
        assertThat(map("{\"weight_map\": {\"two\": \"two.safetensors\", \"one\": \"one.safetensors\"}}"))
                .containsOnlyKeys("one", "two");
    }

    @Test
    void namesAShardThatIsMissing() {
        assertThatThrownBy(() -> map("{\"weight_map\": {\"one\": \"three.safetensors\"}}"))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("names three.safetensors, which is missing beside it; download it too");
    }

    @Test
    void namesATensorThatIsNotInItsShard() {
        assertThatThrownBy(() -> map("{\"weight_map\": {\"one\": \"two.safetensors\"}}"))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("places tensor one in two.safetensors, but that file does not hold it");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../one.safetensors", "/etc/passwd", "a/b", "a\\\\b", "..", ".", "", "c:one", "a\\u0000b"})
    void staysInItsFolder(String file) {
        assertThatThrownBy(() -> map("{\"weight_map\": {\"one\": \"" + file + "\"}}"))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("only the name of a file beside the index is allowed");
    }

    @Test
    void refusesAnIndexWithoutAMap() {
        assertThatThrownBy(() -> map("{}")).isInstanceOf(ObrException.class).hasMessageContaining("has no weight_map");
        assertThatThrownBy(() -> map("{\"weight_map\": 7}"))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("weight_map is 7, but an object is expected");
    }

    private Map<String, SafetensorsTensor> map(String json) throws IOException {
        Path index = Files.writeString(folder.resolve("model.safetensors.index.json"), json);
        try (Arena arena = Arena.ofConfined()) {
            return SafetensorsShards.map(index, arena);
        }
    }
}
