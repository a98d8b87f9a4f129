package dev.obr.launcher;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Command-line arguments as the user typed them, whatever the locale.
 *
 * <p>A JVM decodes its arguments by the locale's encoding: under {@code LANG=C} every byte of {@code é} becomes U+FFFD, and the bytes are gone. Linux keeps them in
 * {@code /proc/self/cmdline}. To a child JVM they travel as Base64, which survives every encoding on the way.
 */
public final class Arguments {
    /** As first argument: each argument that follows is the Base64 of its UTF-8 bytes. */
    static final String ENCODED = "--base64-arguments";

    private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");

    private Arguments() {}

    /** Argument bytes that are no UTF-8; the message is a sentence for the user. */
    public static final class NotUtf8 extends Exception {
        private static final long serialVersionUID = 1;

        NotUtf8(int position) {
            super("argument " + position + " is not valid UTF-8; pass text in UTF-8, or in a file with --file");
        }
    }

    /** What the user typed, given what {@code main} received. */
    public static List<String> received(String[] args) throws NotUtf8 {
        List<String> arguments = List.of(args);
        if (!arguments.isEmpty() && arguments.get(0).equals(ENCODED)) {
            return arguments.stream()
                    .skip(1)
                    .map(a -> new String(Base64.getDecoder().decode(a), StandardCharsets.UTF_8))
                    .toList();
        }
        if (isAscii(arguments) || !Files.isReadable(COMMAND_LINE)) {
            return arguments;
        }
        try {
            return recovered(arguments, Files.readAllBytes(COMMAND_LINE));
        } catch (IOException e) {
            return arguments;
        }
    }

    /**
     * The arguments decoded from the process's own command line, {@code java ... -jar x ARGUMENTS}: its last entries.
     *
     * @param commandLine entries that each end in a zero byte
     */
    static List<String> recovered(List<String> arguments, byte[] commandLine) throws NotUtf8 {
        List<byte[]> entries = entries(commandLine);
        int first = entries.size() - arguments.size();
        if (first < 0) {
            return arguments;
        }
        List<String> recovered = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            String received = arguments.get(i);
            String decoded = decode(entries.get(first + i));
            if (isAscii(List.of(received)) && !received.equals(decoded)) {
                return arguments; // an @file gave arguments that the command line does not show
            }
            if (decoded == null) {
                throw new NotUtf8(i + 1);
            }
            recovered.add(decoded);
        }
        return recovered;
    }

    /** The form in which a child JVM gets {@code arguments}; as they are when they are plain ASCII. */
    static List<String> forChild(List<String> arguments) {
        if (isAscii(arguments)) {
            return arguments;
        }
        List<String> encoded = new ArrayList<>();
        encoded.add(ENCODED);
        for (String argument : arguments) {
            encoded.add(Base64.getEncoder().encodeToString(argument.getBytes(StandardCharsets.UTF_8)));
        }
        return encoded;
    }

    static boolean isAscii(List<String> arguments) {
        return arguments.stream().allMatch(a -> a.chars().allMatch(c -> c < 0x80));
    }

    private static List<byte[]> entries(byte[] commandLine) {
        List<byte[]> entries = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < commandLine.length; i++) {
            if (commandLine[i] == 0) {
                entries.add(Arrays.copyOfRange(commandLine, start, i));
                start = i + 1;
            }
        }
        return entries;
    }

    private static @Nullable String decode(byte[] utf8) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(utf8))
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }
}
