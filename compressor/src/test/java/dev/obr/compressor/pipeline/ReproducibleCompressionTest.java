package dev.obr.compressor.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.compressor.mask.MaskMetric;
import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.obr.Method;
import dev.obr.compressor.obr.Solver;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.Pattern;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same bytes whenever model, options and seed are the same: twice, on any number of threads, wherever the hidden states lie, stopped and resumed or not. */
class ReproducibleCompressionTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "obr-plus, 4:8p, auto, RESIDUAL",
        "obr-gptq, unstructured, auto, LAYER",
        "obr-rtn, 4:8p, pcg, LAYER",
        "obr-gptq, 2:4, pcg, RESIDUAL",
        "sparsegpt+gptq, 32:64, auto, LAYER",
        "quant-only, dense, auto, RESIDUAL"
    })
    void bytesDependOnNothingElse(String method, String pattern, String solver, Target target) {
        TinyCompression first = TinyCompression.of("llama-attention-bias").withTarget(target);
        first = first.with(first.options()
                .withMethod(Method.parse(method))
                .withPattern(Pattern.parse(pattern))
                .withSolver(Solver.valueOf(solver.toUpperCase(Locale.ROOT))));
        Map<String, Long> bytes = packed("first", first);
        assertThat(packed("again", first)).isEqualTo(bytes);
        assertThat(packed("alone", first.withThreads(1))).isEqualTo(bytes);
        assertThat(packed("three threads", first.withThreads(3))).isEqualTo(bytes);
        assertThat(packed("mapped states", first.withStateBytes(0))).isEqualTo(bytes);
    }

    @Test
    void theSeedMatters() {
        TinyCompression zero = TinyCompression.of("qwen2");
        TinyCompression one = zero.with(zero.options().withSeed(1).withMetric(MaskMetric.RANDOM));
        assertThat(packed("zero", zero)).isNotEqualTo(packed("one", one));
    }

    @ParameterizedTest
    @CsvSource({"1, LAYER", "4, RESIDUAL", "5, LAYER"})
    void aStoppedRunGoesOnToTheSameBytes(int layers, Target target) {
        TinyCompression whole = TinyCompression.of("stories260K").withTarget(target);
        Path out = folder.resolve("resumed");
        whole.stopAfter(layers, out);
        assertThat(out).doesNotExist();
        assertThat(folder.resolve("resumed.partial")).isDirectory();
        List<LinearReport> reports = whole.resumed().run(out);
        assertThat(reports).hasSize(7 * (5 - layers));
        assertThat(TinyCompression.checksums(out)).isEqualTo(packed("whole", whole));
        assertThat(TinyCompression.report(out).path("layers")).hasSize(5);
        assertThat(folder.resolve("resumed.partial")).doesNotExist();
    }

    /** A machine that stops in the middle of a write leaves half a file. */
    @Test
    void aDamagedLayerIsCompressedAnew() throws Exception {
        TinyCompression whole = TinyCompression.of("stories260K");
        Path out = folder.resolve("resumed");
        whole.stopAfter(3, out);
        Path layer = folder.resolve("resumed.partial/layer-00002.safetensors");
        Files.write(layer, Arrays.copyOf(Files.readAllBytes(layer), 3000));
        assertThat(whole.resumed().run(out)).hasSize(7 * 3);
        assertThat(TinyCompression.checksums(out)).isEqualTo(packed("whole", whole));
    }

    @Test
    void aStoppedRunIsNotMixedWithOtherOptions() {
        TinyCompression stopped = TinyCompression.of("stories260K");
        Path out = folder.resolve("out");
        stopped.stopAfter(1, out);
        assertThatThrownBy(() -> stopped.run(out))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("--resume");
        for (CompressionOptions other : List.of(
                stopped.options().withPattern(Pattern.TWO_OF_FOUR),
                stopped.options().withAlpha(0.25),
                stopped.options().withPercdamp(0.1),
                stopped.options().withMetric(MaskMetric.MAGNITUDE),
                stopped.options().withWeightClip(false),
                stopped.options().withBits(3))) {
            assertThatThrownBy(() -> stopped.with(other).resumed().run(out))
                    .as("%s", other)
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("other settings");
        }
        assertThatThrownBy(() -> stopped.withTarget(Target.RESIDUAL).resumed().run(out))
                .hasMessageContaining("other settings");
        stopped.forced().run(out);
        assertThat(out).isDirectory();
    }

    private Map<String, Long> packed(String name, TinyCompression compression) {
        Path out = folder.resolve(name);
        compression.run(out);
        return TinyCompression.checksums(out);
    }
}
