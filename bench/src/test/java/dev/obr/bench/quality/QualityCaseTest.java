package dev.obr.bench.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.compressor.obr.Method;
import dev.obr.compressor.permutation.Permute;
import dev.obr.compressor.pipeline.Target;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.Pattern;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class QualityCaseTest {
    @ParameterizedTest
    @CsvSource({
        "obr-gptq, OBR_GPTQ, LAYER, OFF, obr-gptq",
        "obr-plus/residual, OBR_PLUS, RESIDUAL, OFF, obr-plus/residual",
        "obr-plus/residual/auto, OBR_PLUS, RESIDUAL, AUTO, obr-plus/residual/auto",
        "wanda+rtn/layer/off, WANDA_RTN, LAYER, OFF, wanda+rtn",
        "obr-plus/layer/on, OBR_PLUS, LAYER, ON, obr-plus/layer/on"
    })
    void aMethodSaysWhatItIsFittedTo(String text, Method method, Target target, Permute permute, String label) {
        QualityMethod parsed = QualityMethod.parse(text);
        assertThat(parsed).isEqualTo(new QualityMethod(method, target, permute));
        assertThat(parsed.label()).isEqualTo(label);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "obr", "obr-plus/whole", "obr-plus/residual/perhaps", "obr-plus/residual/auto/2:4"})
    void anythingElseIsNoMethod(String text) {
        assertThatThrownBy(() -> QualityMethod.parse(text)).isInstanceOf(ObrException.class);
    }

    @Test
    void aPrecisionNamesBothBits() {
        assertThat(QualityPrecision.parse("A8KV4")).isEqualTo(new QualityPrecision(8, 4));
        assertThat(new QualityPrecision(4, 16).label()).isEqualTo("A4KV16");
        assertThatThrownBy(() -> QualityPrecision.parse("A5KV4"))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("'A5KV4' is no precision");
    }

    @Test
    void whatComesToTheSameModelIsTakenOnce() {
        List<QualityCase> cases = QualityCase.all(
                Stream.of("obr-plus/residual/auto", "obr-plus/residual", "rtn")
                        .map(QualityMethod::parse)
                        .toList(),
                List.of(Pattern.TWO_OF_FOUR, Pattern.PAIRS_4_OF_8),
                4,
                List.of(16));
        assertThat(cases.stream().map(QualityCase::name))
                .containsExactly(
                        "obr-plus_residual_auto-2_4-4bit-head16",
                        "obr-plus_residual_auto-4_8p-4bit-head16",
                        "obr-plus_residual-4_8p-4bit-head16",
                        "rtn-dense-4bit-head16");
    }
}
