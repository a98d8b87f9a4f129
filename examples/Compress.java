import dev.obr.compressor.calibration.CalibrationWindows;
import dev.obr.compressor.pipeline.CompressionPlan;
import dev.obr.compressor.pipeline.CompressionProgress;
import dev.obr.compressor.pipeline.ModelCompressor;
import dev.obr.compressor.pipeline.Preset;
import dev.obr.compressor.text.TextFile;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.Model;
import dev.obr.models.loader.ModelLoader;
import dev.obr.models.packed.CompanionFiles;
import java.nio.file.Path;

/** Packs a model, calibrated on a text: {@code java --enable-native-access=ALL-UNNAMED -cp obr-runtime.jar Compress.java MODEL text.txt OUT}. */
public class Compress {
    private static final int WINDOWS = 16;
    private static final int TOKENS = 256; // of a window

    public static void main(String[] args) {
        Path in = Path.of(args[0]);
        try (Model model = ModelLoader.open(in)) {
            int[] text = model.tokenizer().encode(TextFile.read(Path.of(args[1])), true);
            CalibrationWindows windows = CalibrationWindows.draw(
                    text, args[1], WINDOWS, TOKENS, model.config().contextLength(), 0);
            CompressionPlan plan = CompressionPlan.of(Preset.FAST, Pattern.parse("2:4"), model, windows, args[1]);
            ModelCompressor.onCpu(CompressionProgress.to(System.out::println))
                    .compress(model, plan, CompanionFiles.of(in), new ModelCompressor.Destination(Path.of(args[2]), false, false));
        }
    }
}
