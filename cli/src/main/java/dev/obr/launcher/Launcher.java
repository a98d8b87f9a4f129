package dev.obr.launcher;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The entry of the runnable jar: runs the command line in this JVM where that is possible, else in a child JVM that is.
 *
 * <p>This JVM will do when it is Java 25 or later, has native kernels or the Vector API to compute with, can name the files that the arguments name, and there is
 * no archive that a child would start faster from. The child inherits the terminal, so its output, input and exit code are the command's own.
 */
public final class Launcher {
    static final String MAIN_CLASS = "dev.obr.cli.Main";
    static final int JAVA_NEEDED = 25;

    private static final String SHOW_COMMAND = "--show-command";

    private final Map<String, String> environment;
    private final PrintStream out;
    private final PrintStream err;

    private Launcher(Map<String, String> environment, PrintStream out, PrintStream err) {
        this.environment = environment;
        this.out = out;
        this.err = err;
    }

    private static Launcher ofThisProcess() {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
        return new Launcher(System.getenv(), out, err);
    }

    /** Runs the command line and exits with its exit code. */
    public static void main(String[] args) throws InterruptedException {
        int exitCode = ofThisProcess().launch(args);
        if (exitCode != 0) {
            System.exit(exitCode);
        }
    }

    private int launch(String[] args) throws InterruptedException {
        List<String> arguments;
        try {
            arguments = Arguments.received(args);
        } catch (Arguments.NotUtf8 e) {
            err.println("error: " + e.getMessage());
            return 2;
        }
        boolean showCommand = arguments.contains(SHOW_COMMAND);
        if (!showCommand && servesItself(arguments)) {
            return runHere(arguments);
        }
        boolean vectorApi = !nativeKernelsShipped() || asksForVectorApi(arguments);
        return launchChild(arguments, vectorApi, showCommand);
    }

    /** For a JVM that lacks the Vector API and found its native kernels unusable: runs the command line in a child that has it. */
    public static int runWithVectorApi(List<String> arguments) throws InterruptedException {
        return ofThisProcess().launchChild(arguments, true, false);
    }

    private int launchChild(List<String> arguments, boolean vectorApi, boolean showCommand)
            throws InterruptedException {
        JavaInstallations installations = JavaInstallations.ofThisMachine(environment);
        Optional<String> java = runtimeVersion() >= JAVA_NEEDED
                ? Optional.of(JavaInstallations.executable(System.getProperty("java.home")))
                : installations.find(JAVA_NEEDED);
        if (java.isEmpty()) {
            err.println(
                    "error: OBR Runtime needs Java " + JAVA_NEEDED + " or later and this is Java " + runtimeVersion()
                            + "; install one (for example from https://adoptium.net) or point JAVA_HOME at it. Looked in: "
                            + String.join(", ", installations.places()) + ".");
            return 1;
        }
        List<String> command = new ArrayList<>();
        command.add(java.get());
        command.addAll(ChildJvm.options(ChildJvm.userOptions(), vectorApi));
        command.addAll(List.of("-cp", ChildJvm.classPath(), MAIN_CLASS));
        if (showCommand) {
            arguments.stream().filter(a -> !a.equals(SHOW_COMMAND)).forEach(command::add);
            out.println(ShellQuoting.join(command));
            return 0;
        }
        command.addAll(Arguments.forChild(arguments));
        try {
            return ChildJvm.run(command, needsUtf8Locale(arguments));
        } catch (IOException e) {
            err.println("error: cannot start " + java.get() + ": " + e.getMessage()
                    + "; a long prompt belongs in a file (--file PATH)");
            return 1;
        }
    }

    /** Whether this JVM can run the command line as well, and as soon, as a child could. */
    private boolean servesItself(List<String> arguments) {
        if (runtimeVersion() < JAVA_NEEDED
                || needsUtf8Locale(arguments)
                || ChildJvm.startArchive().isPresent()) {
            return false;
        }
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()) {
            return true;
        }
        return nativeKernelsShipped() && !asksForVectorApi(arguments);
    }

    /** A JVM started in a locale that is not UTF-8 cannot name files beyond that locale's characters. */
    private boolean needsUtf8Locale(List<String> arguments) {
        if ("UTF-8".equalsIgnoreCase(System.getProperty("sun.jnu.encoding", "UTF-8"))) {
            return false;
        }
        return !Arguments.isAscii(arguments)
                || environment.entrySet().stream()
                        .anyMatch(e -> e.getKey().startsWith("OBR_") && !Arguments.isAscii(List.of(e.getValue())));
    }

    private boolean asksForVectorApi(List<String> arguments) {
        int option = arguments.indexOf("--kernels");
        return (option >= 0
                        && option + 1 < arguments.size()
                        && arguments.get(option + 1).equals("vector"))
                || arguments.contains("--kernels=vector")
                || arguments.contains("devices") // which shows every kind of kernel
                || "vector".equals(environment.get("OBR_KERNELS"))
                || "vector".equals(System.getProperty("obr.kernels"));
    }

    private static boolean nativeKernelsShipped() {
        return Launcher.class.getResource("/native/" + platform() + "/" + System.mapLibraryName("obrkernels")) != null;
    }

    /** The name of this platform's folder of native kernels, e.g. {@code linux-x86_64}. */
    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        String family = os.startsWith("mac") ? "macos" : os.startsWith("windows") ? "windows" : "linux";
        return family + "-" + (arch.equals("amd64") ? "x86_64" : arch.equals("arm64") ? "aarch64" : arch);
    }

    private static int runtimeVersion() {
        return Runtime.version().feature();
    }

    /** Calls the main class by name, so that this class stays loadable on a Java that cannot load that one. */
    private static int runHere(List<String> arguments) {
        try {
            Class.forName(MAIN_CLASS).getMethod("main", String[].class).invoke(null, (Object)
                    arguments.toArray(String[]::new));
            return 0;
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            if (e.getCause() instanceof RuntimeException exception) {
                throw exception;
            }
            throw new IllegalStateException(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the jar lacks " + MAIN_CLASS, e);
        }
    }
}
