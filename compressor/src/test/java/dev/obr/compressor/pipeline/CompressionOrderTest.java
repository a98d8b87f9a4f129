package dev.obr.compressor.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.compressor.obr.Method;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.Model;
import dev.obr.models.demo.DemoModel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a model that was trained: restoring loses less than leaving alone, layer by layer and in sum. */
class CompressionOrderTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @Test
    void restorationLosesLess() {
        List<LinearReport> obr = demo(Method.OBR_GPTQ);
        List<LinearReport> wanda = demo(Method.WANDA_RTN);
        assertThat(obr)
                .hasSameSizeAs(wanda)
                .allSatisfy(
                        report -> assertThat(report.loss()).as(report.name()).isLessThan(report.lossBefore()));
        assertThat(sum(obr)).isLessThan(0.8 * sum(wanda));
    }

    private static double sum(List<LinearReport> reports) {
        return reports.stream().mapToDouble(LinearReport::loss).sum();
    }

    private List<LinearReport> demo(Method method) {
        TinyCompression compression = TinyCompression.of("stories260K");
        try (Model demo = DemoModel.open()) {
            return compression
                    .with(compression.options().withMethod(method).withPattern(Pattern.TWO_OF_FOUR))
                    .run(demo, folder.resolve(method.name()));
        }
    }
}
