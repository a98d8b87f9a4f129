package dev.obr.compressor.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CalibrationWindowsTest {
    /** random.seed(0), then randint(0, 1000 - 8 - 1) of CPython 3. */
    @Test
    void drawsWindowsWithinTheContext() {
        int[] tokens = IntStream.range(0, 1000).toArray();
        CalibrationWindows windows = CalibrationWindows.draw(tokens, "text", 3, 2048, 8, 0);
        assertThat(windows.count()).isEqualTo(3);
        assertThat(windows.starts()).containsExactly(864, 394, 776);
        assertThat(windows.window(1)).containsExactly(394, 395, 396, 397, 398, 399, 400, 401);
    }

    @Test
    void saysHowManyTokensAreMissing() {
        assertThatThrownBy(() -> CalibrationWindows.draw(new int[2048], "a.txt", 1, 2048, 4096, 0))
                .isInstanceOf(ObrException.class)
                .hasMessage("a.txt has 2048 tokens, but calibration with windows of 2048 needs at least 2049;"
                        + " give a longer text or a smaller --seqlen");
        assertThat(CalibrationWindows.draw(new int[2049], "a.txt", 1, 2048, 4096, 0)
                        .starts())
                .containsExactly(0);
        assertThatThrownBy(() -> CalibrationWindows.draw(new int[9], "a.txt", 0, 4, 4, 0))
                .hasMessageContaining("not 0 of 4");
    }
}
