package dev.obr.compressor.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TextWindowsTest {
    private static final int[] TEN = IntStream.rangeClosed(1, 10).toArray();

    @Test
    void obrScoresAllOfAWindowButItsFirstToken() {
        TextWindows windows = TextWindows.cut(Protocol.OBR, TEN, 4, -1, 0, "text");
        assertThat(windows.windows()).containsExactly(new int[] {1, 2, 3, 4}, new int[] {5, 6, 7, 8});
        assertThat(windows.firstScored()).isEqualTo(1);
        assertThat(windows.scoredPerWindow()).isEqualTo(3);
        assertThat(windows.begun()).isFalse();
    }

    @Test
    void obrPutsTheBeginTokenInFrontOfEachWindowAndLosesNoText() {
        TextWindows windows = TextWindows.cut(Protocol.OBR, TEN, 4, 99, 0, "text");
        assertThat(windows.windows())
                .containsExactly(new int[] {99, 1, 2, 3}, new int[] {99, 4, 5, 6}, new int[] {99, 7, 8, 9});
        assertThat(windows.begun()).isTrue();
        assertThat(TextWindows.cut(Protocol.OBR, TEN, 4, 99, 2, "text").windows())
                .hasSize(2);
    }

    @Test
    void llamaScoresTheSecondHalf() {
        TextWindows windows = TextWindows.cut(Protocol.LLAMA, TEN, 4, -1, 0, "text");
        assertThat(windows.windows()).containsExactly(new int[] {1, 2, 3, 4}, new int[] {5, 6, 7, 8});
        // the logits at 2 and 3, but the last one predicts the next window
        assertThat(windows.firstScored()).isEqualTo(3);
        assertThat(windows.scoredPerWindow()).isEqualTo(1);
        assertThat(TextWindows.cut(Protocol.LLAMA, TEN, 5, -1, 0, "text").scoredPerWindow())
                .isEqualTo(2);
    }

    @Test
    void llamaOverwritesTheFirstTokenOfEachWindow() {
        TextWindows windows = TextWindows.cut(Protocol.LLAMA, TEN, 4, 99, 0, "text");
        assertThat(windows.windows()).containsExactly(new int[] {99, 1, 2, 3}, new int[] {99, 5, 6, 7});
    }

    @Test
    void aShortTextSaysHowManyTokensItHasAndNeeds() {
        assertThatThrownBy(() -> TextWindows.cut(Protocol.OBR, TEN, 12, -1, 0, "a.txt"))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("a.txt has 10 tokens")
                .hasMessageContaining("need 12");
        assertThatThrownBy(() -> TextWindows.cut(Protocol.LLAMA, TEN, 6, -1, 0, "a.txt"))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("need 12");
        assertThatThrownBy(() -> TextWindows.cut(Protocol.OBR, TEN, 1, -1, 0, "a.txt"))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("Windows of 1 tokens");
    }
}
