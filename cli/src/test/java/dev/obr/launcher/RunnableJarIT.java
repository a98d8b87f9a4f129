package dev.obr.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The jar as a user starts it, in processes of its own, on this Java and on an older one. */
@Timeout(120)
@EnabledOnOs({OS.LINUX, OS.MAC})
class RunnableJarIT {
    /** "é 你 🙂" as a POSIX printf writes its bytes: no locale between here and the shell can change them. */
    private static final String PROMPT = "\\303\\251 \\344\\275\\240 \\360\\237\\231\\202";

    private static final String JAR = System.getProperty("obr.jar", "target/obr-runtime.jar");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    private record Ended(int exitCode, String out, String err) {}

    /** This Java, and the one that runs Maven where that is older than 25. */
    static Stream<String> javas() {
        String here = JavaInstallations.executable(System.getProperty("java.home"));
        List<String> javas = new ArrayList<>(List.of(here));
        Path maven = Path.of(System.getProperty("obr.maven.java.home", System.getProperty("java.home")));
        if (JavaInstallations.version(maven) < Launcher.JAVA_NEEDED) {
            javas.add(JavaInstallations.executable(maven.toString()));
        }
        return javas.stream();
    }

    @ParameterizedTest
    @MethodSource("javas")
    void generatesFromTheBuiltInModel(String java) throws Exception {
        Ended run = run(java, "C.UTF-8", "generate --prompt 'Once upon a time' --temp 0 -n 8");
        assertThat(run.exitCode).as(run.err).isZero();
        assertThat(run.out).isEqualTo(", I was in a state of mind\n");
    }

    @Test
    void carriesOfJCudaTheBindingsThatAreUsed() throws IOException {
        try (JarFile jar = new JarFile(JAR)) {
            assertThat(jar.stream()
                            .map(JarEntry::getName)
                            .filter(name -> name.startsWith("lib/") && name.endsWith(".so"))
                            .map(name -> name.substring(0, name.indexOf('-'))))
                    .containsExactlyInAnyOrder(
                            "lib/libJCudaDriver", "lib/libJCublas2", "lib/libJCusolver", "lib/libJCusparse");
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void measuresTheBuiltInModel(String java) throws Exception {
        Files.writeString(folder.resolve("text.txt"), "It was the best of times. ".repeat(40));
        Ended run = run(java, "C", "eval --text " + folder.resolve("text.txt") + " --context 64");
        assertThat(run.exitCode).as(run.err).isZero();
        assertThat(run.err).isEmpty();
        assertThat(run.out.lines().toList().getLast()).startsWith("Final estimate: PPL = ");
    }

    @ParameterizedTest
    @MethodSource("javas")
    void argumentsArriveWhateverTheLocale(String java) throws Exception {
        for (String locale : List.of("C.UTF-8", "C", "POSIX", "")) {
            Ended run = run(java, locale, "tokenize --json --prompt \"$(printf '" + PROMPT + "')\"");
            assertThat(run.exitCode).as(run.err).isZero();
            // begin, é as one token, a space, the bytes of 你, a space, the bytes of the emoji
            assertThat(run.out)
                    .as("locale '%s'", locale)
                    .startsWith("{\"count\":11,\"token_ids\":[0,3280,222,162,123,256,222,174,255,249,226],\"pieces\":[")
                    .contains("\"Ã©\""); // UTF-8 out of a C locale, too
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void filesWithSuchNamesOpenWhateverTheLocale(String java) throws Exception {
        String file = "\"$(printf '" + folder + "/prompt-\\303\\251.txt')\""; // a name that this JVM need not know
        assertThat(execute("printf 'Once upon a time' > " + file).exitCode).isZero();
        for (String locale : List.of("C.UTF-8", "C", "")) {
            assertThat(run(java, locale, "tokenize --count --file " + file)).isEqualTo(new Ended(0, "6\n", ""));
            assertThat(run(java, locale, "tokenize --count", "OBR_FILE=" + file).out)
                    .isEqualTo("6\n");
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void passesExitCodesInputAndErrorsThrough(String java) throws Exception {
        Ended usage = run(java, "C", "generate --nonsense");
        assertThat(usage.exitCode).isEqualTo(2);
        assertThat(usage.out).isEmpty();
        assertThat(usage.err).startsWith("error: ").contains("--nonsense").hasLineCount(2);
        assertThat(run(java, "C", "inspect --model /no/such").exitCode).isEqualTo(1);
        assertThat(run("printf 'Once upon a time' | " + java, "C", "tokenize --count").out)
                .isEqualTo("6\n");
        Ended notUtf8 = run(java, "C.UTF-8", "generate --prompt \"$(printf 'caf\\351')\"");
        assertThat(notUtf8.exitCode).isEqualTo(2);
        assertThat(notUtf8.err).contains("argument 4 is not valid UTF-8");
    }

    @ParameterizedTest
    @MethodSource("javas")
    void showsTheCommandThatWouldRun(String java) throws Exception {
        String verb = "tokenize --json --prompt \"$(printf \"it's " + PROMPT + "\")\"";
        Ended shown = run(java, "C", "--show-command " + verb);
        assertThat(shown.exitCode).isZero();
        assertThat(shown.out)
                .contains(" --enable-native-access=ALL-UNNAMED ", " dev.obr.cli.Main --quiet tokenize --json ")
                .endsWith("--prompt 'it'\\''s é 你 🙂'\n");
        Path script = Files.writeString(folder.resolve("command.sh"), shown.out);
        assertThat(execute("sh " + script).out)
                .isEqualTo(run(java, "C", verb).out)
                .isNotEmpty();
    }

    /** An archive of another JVM, or a broken one, costs time and nothing else. */
    @ParameterizedTest
    @MethodSource("javas")
    void anArchiveThatCannotBeUsedIsPassedOver(String java) throws Exception {
        Path jar = Files.copy(Path.of(JAR), folder.resolve("copy.jar"));
        Files.writeString(folder.resolve("copy.aot"), "no archive");
        String verb = " -jar " + jar + " --quiet tokenize --count --prompt 'Once upon a time'";
        assertThat(execute(java + " -jar " + jar + " --show-command tokenize").out)
                .contains("-XX:AOTCache=" + folder.resolve("copy.aot"));
        assertThat(execute(java + verb)).isEqualTo(new Ended(0, "6\n", ""));
    }

    /** No folder takes the native library: on Linux it is loaded from memory, elsewhere a child with the Vector API serves. */
    @ParameterizedTest
    @MethodSource("javas")
    void computesWhereNoFolderCanBeWrittenTo(String java) throws Exception {
        Path model = folder.resolve("tiny.gguf");
        assertThat(run(java, "C", "make-model --shape tiny " + model).exitCode).isZero();
        Path file = Files.createFile(folder.resolve("no-folder"));
        String verb = "generate --prompt 'Once upon a time' -n 2 --json --model " + model;
        Ended run = run(
                java + " -Duser.home=" + file + " -Djava.io.tmpdir=" + file,
                "C",
                verb,
                "OBR_CACHE=" + file,
                "XDG_CACHE_HOME=" + file);
        assertThat(run.exitCode).as(run.err).isZero();
        String usual = run(java, "C", verb).out;
        assertThat(kernels(run.out)).isEqualTo(OS.LINUX.isCurrentOs() ? kernels(usual) : "vector");
    }

    private static String kernels(String json) {
        return json.replaceAll("(?s).*\"kernels\":\"(\\w+)\".*", "$1");
    }

    /** {@code devices} shows the Vector API, for which this JVM was not started: a child serves. */
    @ParameterizedTest
    @MethodSource("javas")
    void whatJavaWasToldReachesTheChild(String java) throws Exception {
        Ended run = run(java + " -Dobr.cpu=generic", "C", "devices");
        assertThat(run.exitCode).as(run.err).isZero();
        assertThat(run.out).contains("capped at generic");
    }

    @Test
    void aReaderThatLeavesIsNoError() throws Exception {
        Ended run = run(javas().toList().getFirst(), "C", "inspect --tensors | head -n 1");
        assertThat(run.out).startsWith("model").hasLineCount(1);
        assertThat(run.err).isEmpty();
    }

    /** A limit on the size of files stands for a full disk: the weights' file outgrows it when the layers are put together. */
    @Test
    void aFullDiskLeavesNothingOfAModel() throws Exception {
        Path text = Files.writeString(folder.resolve("text.txt"), "Once upon a time there was a rabbit. ".repeat(30));
        String java = JavaInstallations.executable(System.getProperty("java.home"));
        for (int kibibytes : new int[] {1, 8, 40}) {
            Ended run = execute("ulimit -f " + 2 * kibibytes + "; exec " + java + " -Xshare:auto -jar " + JAR
                    + " --quiet compress ../runtime/src/test/resources/models/gguf-f16/model.gguf "
                    + folder.resolve("out")
                    + " --samples 1 --seqlen 16 --calibration " + text);
            assertThat(run.exitCode).as(run.err).isEqualTo(1);
            assertThat(run.err).startsWith("error: cannot write ").hasLineCount(1);
            assertThat(folder.resolve("out")).doesNotExist();
            assertThat(folder.resolve("out.partial")).doesNotExist();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM"})
    void aSignalInMidGenerationEndsItWithWhatIsThere(String signal) throws Exception {
        assumeSignalsReachUs();
        for (String java : javas().toList()) {
            Process process =
                    start(java + " -jar " + JAR + " generate -p hello -n 200 --kernels scalar -t 1 --stop @@@@@@");
            try (InputStream out = process.getInputStream()) {
                int first = out.read();
                assertThat(first).as(java).isNotNegative();
                assertThat(execute("kill -" + signal + " " + process.pid()).exitCode)
                        .isZero();
                String text = (char) first + new String(out.readAllBytes(), StandardCharsets.UTF_8);
                assertThat(text).endsWith("\n");
            }
            assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isEqualTo(signal.equals("INT") ? 130 : 143);
        }
    }

    /** The signal comes as soon as there is a child: its parent has hardly begun to wait for it. */
    @ParameterizedTest
    @MethodSource("javas")
    void aSignalLeavesNoProcessBehind(String java) throws Exception {
        assumeSignalsReachUs();
        Process process = start(java + " -jar " + JAR + " tokenize");
        while (process.isAlive() && process.descendants().findAny().isEmpty() && !ownsTheVerb(process)) {
            Thread.onSpinWait();
        }
        List<ProcessHandle> children = process.descendants().toList();
        process.destroy();
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(143);
        assertThat(children).noneMatch(ProcessHandle::isAlive);
    }

    /** A JVM that runs the verb itself has no child to wait for. */
    private static boolean ownsTheVerb(Process process) {
        return process.info().startInstant().stream()
                .anyMatch(start -> start.plusSeconds(3).isBefore(Instant.now()));
    }

    /** A background job of a non-interactive shell ignores SIGINT, and so do its children. */
    private static void assumeSignalsReachUs() throws IOException {
        Path status = Path.of("/proc/self/status");
        Assumptions.assumeTrue(Files.exists(status), "only Linux says which signals are ignored");
        String ignored = Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .findFirst()
                .orElse("SigIgn: 0")
                .replaceFirst("SigIgn:\\s*", "");
        Assumptions.assumeTrue((Long.parseUnsignedLong(ignored, 16) & 0b10) == 0, "SIGINT is ignored here");
    }

    private Ended run(String java, String locale, String arguments, String... variables) throws Exception {
        String environment = "env -u LANG -u LC_ALL -u LC_CTYPE " + (locale.isEmpty() ? "" : "LC_ALL=" + locale + " ")
                + String.join(" ", variables) + " ";
        int pipe = java.indexOf("| ");
        String command =
                pipe < 0 ? environment + java : java.substring(0, pipe + 2) + environment + java.substring(pipe + 2);
        return execute(command + " -jar " + JAR + " --quiet " + arguments);
    }

    private Ended execute(String command) throws Exception {
        Path err = folder.resolve("err");
        Process process = builder(command).redirectError(err.toFile()).start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int exitCode = process.waitFor();
        String errors = Files.readString(err)
                .lines()
                .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
                .reduce("", (text, line) -> text + line + "\n");
        return new Ended(exitCode, out, errors);
    }

    private Process start(String command) throws IOException {
        return builder("exec " + command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private static ProcessBuilder builder(String command) {
        ProcessBuilder builder = new ProcessBuilder("sh", "-c", command);
        builder.environment().keySet().removeIf(name -> name.startsWith("OBR_") || name.equals("JAVA_TOOL_OPTIONS"));
        return builder;
    }
}
