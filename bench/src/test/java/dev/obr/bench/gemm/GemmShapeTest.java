package dev.obr.bench.gemm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.util.List;
import org.junit.jupiter.api.Test;

class GemmShapeTest {
    @Test
    void labelsAndModelsAreShapesEachOnce() {
        assertThat(GemmShape.parse(List.of("4096x4096", "llama-2-7b", "llama-3-8b")))
                .extracting(GemmShape::label)
                .containsExactly("4096x4096", "11008x4096", "4096x11008", "1024x4096", "14336x4096", "4096x14336");
    }

    @Test
    void whatIsNoShapeIsSaid() {
        assertThatThrownBy(() -> GemmShape.parse(List.of("llama-9")))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("there is no shape 'llama-9'");
        assertThatThrownBy(() -> GemmShape.parse(List.of("100x4096")))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("the shape 100x4096 cannot be measured")
                .hasMessageContaining("multiples of 64");
    }
}
