package dev.obr.compressor.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.compressor.obr.Method;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.Model;
import dev.obr.models.Weight;
import dev.obr.models.loader.ModelLoader;
import dev.obr.models.packed.PackedSize;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a model's shape foretells is what its packed form takes. */
class CompressedSizeTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"dense", "unstructured", "32:64", "2:4", "4:8p"})
    void isForetold(String pattern) {
        Path out = folder.resolve("out");
        TinyCompression compression = TinyCompression.of("stories260K");
        compression
                .withHeadBits(8)
                .with(compression
                        .options()
                        .withMethod(Method.WANDA_RTN)
                        .withPattern(Pattern.parse(pattern))
                        .withSparsity(0.3))
                .run(out);
        try (Model model = ModelLoader.open(out);
                Model source = ModelLoader.open(compression.source())) {
            PackedSize size = PackedSize.of(source.config(), Pattern.parse(pattern), 4, 0.3, 8);
            long head =
                    Objects.requireNonNull(model.packed().get("lm_head.weight")).byteSize();
            assertThat(size.linear())
                    .isEqualTo(model.packed().values().stream()
                                    .mapToLong(PackedMatrix::byteSize)
                                    .sum()
                            - head);
            assertThat(size.outside())
                    .isEqualTo(model.weights().values().stream()
                                    .map(Weight::memory)
                                    .mapToLong(memory -> memory.byteSize())
                                    .sum()
                            + head);
        }
    }
}
