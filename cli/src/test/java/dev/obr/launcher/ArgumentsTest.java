package dev.obr.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class ArgumentsTest {
    private static final String LOST = "\uFFFD\uFFFD"; // what a JVM in the C locale makes of the two bytes of é

    @Test
    void takesLostCharactersFromTheCommandLine() throws Exception {
        byte[] commandLine = utf8("java\0-jar\0x.jar\0generate\0--prompt\0é\0");
        assertThat(Arguments.recovered(List.of("generate", "--prompt", LOST), commandLine))
                .containsExactly("generate", "--prompt", "é");
    }

    @Test
    void leavesArgumentsAloneThatTheCommandLineDoesNotShow() throws Exception {
        byte[] commandLine = utf8("java\0@arguments\0");
        List<String> arguments = List.of("generate", "--prompt", LOST);
        assertThat(Arguments.recovered(arguments, commandLine)).isEqualTo(arguments);
        assertThat(Arguments.recovered(List.of("chat", LOST), commandLine)).containsExactly("chat", LOST);
    }

    @Test
    void refusesBytesThatAreNoUtf8AndNamesTheArgument() {
        byte[] commandLine = "java\0-p\0\u00ff\0".getBytes(StandardCharsets.ISO_8859_1);
        assertThatThrownBy(() -> Arguments.recovered(List.of("-p", "\uFFFD"), commandLine))
                .isInstanceOf(Arguments.NotUtf8.class)
                .hasMessage("argument 2 is not valid UTF-8; pass text in UTF-8, or in a file with --file");
    }

    @Test
    void passesPlainArgumentsAsTheyAre() {
        assertThat(Arguments.forChild(List.of("generate", "-n", "5"))).containsExactly("generate", "-n", "5");
    }

    @Property
    void everyArgumentSurvivesTheWayToAChild(@ForAll List<String> arguments) throws Exception {
        List<String> valid = arguments.stream()
                .map(a -> new String(utf8(a), StandardCharsets.UTF_8)) // lone surrogates are no text
                .toList();
        List<String> sent = Arguments.forChild(valid);
        assertThat(sent).allMatch(a -> a.chars().allMatch(c -> c < 0x80));
        assertThat(Arguments.received(sent.toArray(String[]::new))).isEqualTo(valid);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
