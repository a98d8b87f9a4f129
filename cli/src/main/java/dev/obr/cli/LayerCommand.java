package dev.obr.cli;

import dev.obr.compressor.obr.Certificate;
import dev.obr.compressor.obr.CompressedLayer;
import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.obr.LayerCompressor;
import dev.obr.compressor.obr.Method;
import dev.obr.compressor.pipeline.Preset;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.TiledProducts;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code layer}: a workbench for one linear layer. */
@Command(
        name = "layer",
        description = "Compress one linear layer out of a safetensors file, and say what was lost.",
        footer = {
            "",
            "IN has weight [out, in] and inputs [samples, tokens, in], or hessian [in, in] and scaler_row [in].",
            "OUT gets codes, scale, zero, mask and dequantized = scale * (codes - zero).",
            "The loss is tr((W - What) H (W - What)^T) with the undamped H = 2/samples * sum of X^T X."
        })
final class LayerCommand implements Callable<Integer> {
    private final Console console;
    private final CommonOptions common;

    @Option(names = "--in", paramLabel = "IN", required = true, description = "The safetensors file to read.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path in;

    @Option(
            names = "--out",
            paramLabel = "OUT",
            description = "The safetensors file to write; without it, only the loss is printed.")
    private @Nullable Path out;

    @Mixin
    private final LayerOptions options = new LayerOptions();

    @Option(names = "--compare", description = "Print the loss of every method at the same pattern and grid.")
    private boolean compare;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ThreadsOption threads;

    @Mixin
    private final CompressionDeviceOption device = new CompressionDeviceOption();

    LayerCommand(Console console, CommonOptions common) {
        this.console = console;
        this.common = common;
    }

    @Override
    public Integer call() {
        CompressionOptions chosen = options.options(Preset.QUALITY);
        try (CompressionDeviceOption.Opened opened = device.open(console.environment());
                ThreadTeam team = new ThreadTeam(threads.count())) {
            if (!common.quiet()) {
                console.note(opened.why());
            }
            run(chosen, opened.algebra(), team);
        }
        return CommandLineApplication.DONE;
    }

    private void run(CompressionOptions chosen, LinearAlgebra algebra, ThreadTeam team) {
        LayerFile.Layer layer = LayerFile.read(in, chosen.scaler(), new TiledProducts(algebra, team));
        LayerCompressor compressor = new LayerCompressor(algebra, team);
        long start = System.nanoTime();
        CompressedLayer result = compressor.compress(layer.name(), layer.weight(), layer.input(), chosen);
        double seconds = (System.nanoTime() - start) / 1e9;
        if (out != null) {
            LayerFile.write(out, result, !chosen.symmetric() && chosen.bits() == 8);
        }
        Map<String, Double> losses = new LinkedHashMap<>();
        if (compare) {
            for (Method method : Method.values()) {
                if (method.symmetricOnly() && !chosen.symmetric()) {
                    continue;
                }
                losses.put(
                        method.label(),
                        method == chosen.method()
                                ? result.loss()
                                : compressor
                                        .compress(
                                                layer.name(), layer.weight(), layer.input(), chosen.withMethod(method))
                                        .loss());
            }
        }
        if (json) {
            console.println(JsonOutput.pretty(json(result, chosen, seconds, losses)));
        } else {
            console.print(text(result, chosen, seconds, losses));
        }
    }

    private static String text(
            CompressedLayer result, CompressionOptions chosen, double seconds, Map<String, Double> losses) {
        StringBuilder text = new StringBuilder();
        line(text, "layer", result.mask().rows() + " x " + result.mask().cols());
        line(text, "method", chosen.method().label());
        line(text, "pattern", patternName(chosen));
        line(text, "loss", number(result.loss()));
        line(text, "not restored", number(result.lossBefore()));
        line(text, "zeros", String.format(Locale.ROOT, "%.2f%%", 100 * result.zeroShare()));
        line(text, "seconds", String.format(Locale.ROOT, "%.3f", seconds));
        Certificate certificate = result.certificate();
        if (certificate != null) {
            line(
                    text,
                    "exactness",
                    String.format(
                            Locale.ROOT,
                            "at most %.2g%% above the exact solution's loss, after %d iterations",
                            100 * certificate.relativeExcess(),
                            certificate.iterations()));
        }
        result.notes().forEach(note -> line(text, "note", note));
        if (!losses.isEmpty()) {
            text.append(String.format(Locale.ROOT, "\n%-16s %14s\n", "method", "loss"));
            losses.forEach((method, loss) -> text.append(String.format("%-16s %14s\n", method, number(loss))));
        }
        return text.toString();
    }

    private static Map<String, @Nullable Object> json(
            CompressedLayer result, CompressionOptions chosen, double seconds, Map<String, Double> losses) {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        object.put("loss", result.loss());
        object.put("method", chosen.method().label());
        object.put("pattern", patternName(chosen));
        object.put("rows", result.mask().rows());
        object.put("cols", result.mask().cols());
        object.put("loss_not_restored", result.lossBefore());
        object.put("zeros", result.zeroShare());
        object.put("seconds", seconds);
        Certificate certificate = result.certificate();
        object.put("pcg_bound", certificate == null ? null : certificate.relativeExcess());
        object.put("pcg_iterations", certificate == null ? null : certificate.iterations());
        object.put("notes", result.notes());
        if (!losses.isEmpty()) {
            object.put("losses", losses);
        }
        return object;
    }

    /** What was pruned, which is nothing where the method does not prune. */
    private static String patternName(CompressionOptions chosen) {
        return chosen.dense() ? "dense" : chosen.pattern().label();
    }

    private static String number(double loss) {
        return String.format(Locale.ROOT, "%.6g", loss);
    }

    private static void line(StringBuilder text, String label, String value) {
        text.append(String.format("%-14s %s\n", label, value));
    }
}
