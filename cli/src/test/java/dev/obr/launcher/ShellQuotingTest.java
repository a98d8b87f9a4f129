package dev.obr.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ShellQuotingTest {
    @Test
    void quotesOnlyWhatAShellWouldChange() {
        assertThat(ShellQuoting.join(List.of("java", "-cp", "/a/b.jar", "--prompt", "it's $5 é", "")))
                .isEqualTo("java -cp /a/b.jar --prompt 'it'\\''s $5 é' ''");
    }
}
