package dev.obr.compressor.pipeline;

import dev.obr.compressor.calibration.CalibrationWindows;
import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.permutation.Permute;
import dev.obr.compressor.rotation.Rotation;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebras;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.Quantization.ActivationClip;
import dev.obr.models.loader.ModelLoader;
import dev.obr.models.packed.CompanionFiles;
import dev.obr.runtime.transformer.KvType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Compresses one of the tests' small models, calibrated on random tokens.
 *
 * @param source folder of the model
 * @param headBits of the LM head
 * @param stateBytes of hidden states in memory
 * @param algebra what computes, whose end is its owner's
 */
record TinyCompression(
        Path source,
        CompressionOptions options,
        Target target,
        Permute permute,
        boolean rotates,
        int headBits,
        int threads,
        long stateBytes,
        boolean force,
        boolean resume,
        LinearAlgebra algebra) {
    private static final int SAMPLES = 3;
    private static final int LENGTH = 40;

    /** Of a model among the test resources, with the clip search of the {@code compress} verb. */
    static TinyCompression of(String fixture) {
        return new TinyCompression(
                Path.of("../runtime/src/test/resources/models", fixture),
                CompressionOptions.defaults().withWeightClip(true),
                Target.LAYER,
                Permute.AUTO,
                true,
                16,
                2,
                1 << 20,
                false,
                false,
                LinearAlgebras.choose(System.getenv()).algebra());
    }

    TinyCompression withSource(Path folder) {
        return new TinyCompression(
                folder, options, target, permute, rotates, headBits, threads, stateBytes, force, resume, algebra);
    }

    TinyCompression with(CompressionOptions chosen) {
        return new TinyCompression(
                source, chosen, target, permute, rotates, headBits, threads, stateBytes, force, resume, algebra);
    }

    TinyCompression withTarget(Target chosen) {
        return new TinyCompression(
                source, options, chosen, permute, rotates, headBits, threads, stateBytes, force, resume, algebra);
    }

    TinyCompression withPermute(Permute chosen) {
        return new TinyCompression(
                source, options, target, chosen, rotates, headBits, threads, stateBytes, force, resume, algebra);
    }

    TinyCompression notRotated() {
        return new TinyCompression(
                source, options, target, permute, false, headBits, threads, stateBytes, force, resume, algebra);
    }

    TinyCompression withHeadBits(int bits) {
        return new TinyCompression(
                source, options, target, permute, rotates, bits, threads, stateBytes, force, resume, algebra);
    }

    TinyCompression withThreads(int count) {
        return new TinyCompression(
                source, options, target, permute, rotates, headBits, count, stateBytes, force, resume, algebra);
    }

    TinyCompression withStateBytes(long bytes) {
        return new TinyCompression(
                source, options, target, permute, rotates, headBits, threads, bytes, force, resume, algebra);
    }

    TinyCompression forced() {
        return new TinyCompression(
                source, options, target, permute, rotates, headBits, threads, stateBytes, true, resume, algebra);
    }

    TinyCompression resumed() {
        return new TinyCompression(
                source, options, target, permute, rotates, headBits, threads, stateBytes, force, true, algebra);
    }

    TinyCompression withAlgebra(LinearAlgebra chosen) {
        return new TinyCompression(
                source, options, target, permute, rotates, headBits, threads, stateBytes, force, resume, chosen);
    }

    /** Writes {@code out}, and returns what was said of each linear layer. */
    List<LinearReport> run(Path out) {
        Heard heard = new Heard(Integer.MAX_VALUE);
        run(out, heard);
        return heard.reports();
    }

    /** Stops, as Ctrl-C would, when {@code layers} decoder layers are written. */
    void stopAfter(int layers, Path out) {
        try {
            run(out, new Heard(layers));
        } catch (Stopped expected) {
            return;
        }
        throw new AssertionError("the run was not stopped");
    }

    /** Compresses another model; tokenizer and the like stay the fixture's. */
    List<LinearReport> run(Model model, Path out) {
        Heard heard = new Heard(Integer.MAX_VALUE);
        run(model, out, heard);
        return heard.reports();
    }

    private void run(Path out, CompressionProgress progress) {
        try (Model model = ModelLoader.open(source)) {
            run(model, out, progress);
        }
    }

    private void run(Model model, Path out, CompressionProgress progress) {
        CpuKernels kernels = CpuKernelsProvider.choose("auto", System.getenv()).kernels();
        new ModelCompressor(kernels, algebra, threads, progress)
                .compress(
                        model,
                        plan(model.config()),
                        CompanionFiles.of(source),
                        new ModelCompressor.Destination(out, force, resume));
    }

    private CompressionPlan plan(ModelConfig config) {
        int[] tokens = new Random(6).ints(500, 0, config.vocabularySize()).toArray();
        return new CompressionPlan(
                options,
                target,
                permute,
                rotates ? Rotation.quarot(config, options.seed(), false) : Rotation.none(),
                CalibrationWindows.draw(
                        tokens, "random tokens", SAMPLES, LENGTH, config.contextLength(), options.seed()),
                "random tokens",
                4,
                ActivationClip.SEARCH,
                KvType.INT4.bits(),
                headBits,
                options.seed(),
                "test",
                stateBytes);
    }

    /** A checksum of every file but the report, which holds times. */
    static Map<String, Long> checksums(Path out) {
        Map<String, Long> checksums = new TreeMap<>();
        try (Stream<Path> files = Files.list(out)) {
            for (Path file : files.toList()) {
                CRC32C sum = new CRC32C();
                sum.update(Files.readAllBytes(file));
                checksums.put(file.getFileName().toString(), sum.getValue());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        checksums.remove("obr-report.json");
        return checksums;
    }

    static JsonNode report(Path out) {
        return JsonMapper.shared().readTree(out.resolve("obr-report.json").toFile());
    }

    private static final class Stopped extends RuntimeException {}

    /** Keeps reports, and stops the run after some layers. */
    private record Heard(int stopAfter, List<LinearReport> reports) implements CompressionProgress {
        Heard(int stopAfter) {
            this(stopAfter, new ArrayList<>());
        }

        @Override
        public void calibrated(int layer, String step, int done, int total) {}

        @Override
        public void compressed(LinearReport report) {
            reports.add(report);
        }

        @Override
        public void finished(int layer, int layers) {
            if (layer + 1 == stopAfter) {
                throw new Stopped();
            }
        }

        @Override
        public void note(String sentence) {}
    }
}
