package dev.obr.launcher;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A JVM that takes this one's place: same terminal, same class path, its exit code is ours. */
final class ChildJvm {
    /** The JVM sets the exit code of a signal itself; this one is nobody's to see. */
    private static final int ENDED_BEFORE_START = 1;

    private ChildJvm() {}

    /**
     * Runs {@code command} to its end.
     *
     * <p>Ctrl-C reaches every process of the terminal, the child too; {@code kill} reaches this one alone. Either way this JVM starts to shut down, and its hook, there before the child is, asks the child to end
     * and waits for its last output; the exit code is then the signal's (130 or 143), as the JVM sets it.
     *
     * @param utf8Locale whether the child needs a UTF-8 locale that this process lacks
     */
    static int run(List<String> command, boolean utf8Locale) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
        if (utf8Locale) {
            builder.environment().put("LC_ALL", "C.UTF-8");
        }
        Successor successor = new Successor();
        try {
            Runtime.getRuntime().addShutdownHook(new Thread(successor::end, "end-child"));
        } catch (IllegalStateException alreadyEnding) {
            return ENDED_BEFORE_START;
        }
        Optional<Process> child = successor.start(builder);
        return child.isPresent() ? child.get().waitFor() : ENDED_BEFORE_START;
    }

    /** The child, which a signal may meet before it is started, while it starts, or afterwards: none of them leaves it behind. */
    private static final class Successor {
        private @Nullable Process child;
        private boolean ended;

        /** Nothing when this JVM is already shutting down. */
        synchronized Optional<Process> start(ProcessBuilder builder) throws IOException {
            if (ended) {
                return Optional.empty();
            }
            Process started = builder.start();
            child = started;
            return Optional.of(started);
        }

        void end() {
            Process started;
            synchronized (this) {
                ended = true;
                started = child;
            }
            if (started != null) {
                ChildJvm.end(started);
            }
        }
    }

    private static void end(Process child) {
        boolean interrupted = false;
        child.destroy();
        while (child.isAlive()) {
            try {
                child.waitFor();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * The options of the child: native kernels are called through restricted methods, and a small heap needs no collector threads. The Vector API is an incubator module: it is there
     * only when asked for, and makes every start slower.
     *
     * @param userOptions what the user gave to this JVM; it wins
     */
    static List<String> options(List<String> userOptions, boolean vectorApi) {
        List<String> options = new ArrayList<>();
        options.add("--enable-native-access=ALL-UNNAMED");
        if (vectorApi) {
            options.add("--add-modules=jdk.incubator.vector");
        } else {
            startArchive().ifPresent(archive -> {
                options.add("-XX:AOTCache=" + archive);
                options.add("-Xlog:aot*=off"); // a JVM that cannot use the archive goes on without, and need not say so
                options.add("-Xlog:cds*=off");
            });
        }
        if (userOptions.stream().noneMatch(o -> o.startsWith("-XX:+Use") && o.endsWith("GC"))) {
            options.add("-XX:+UseSerialGC");
        }
        options.addAll(userOptions);
        return options;
    }

    /**
     * The archive of loaded and linked classes that {@code make} leaves beside the jar; it saves a quarter of a second of every start. One that is older than the jar is of another
     * build; a JVM other than the one that wrote it goes on without.
     */
    static Optional<Path> startArchive() {
        File jar = new File(classPath());
        File archive = new File(jar.getPath().replaceFirst("\\.jar$", ".aot"));
        boolean ofThisBuild = !archive.equals(jar) && archive.isFile() && archive.lastModified() >= jar.lastModified();
        return ofThisBuild ? Optional.of(archive.toPath()) : Optional.empty();
    }

    /** What the user gave to this JVM before {@code -jar}, such as {@code -Xmx8g} or {@code -Dname=value}. */
    static List<String> userOptions() {
        return ProcessHandle.current().info().arguments().stream()
                .flatMap(Arrays::stream)
                .takeWhile(a -> !a.equals("-jar") && !a.equals("-cp"))
                .filter(a -> a.startsWith("-X") || a.startsWith("-D"))
                .toList();
    }

    /** This JVM's class path with absolute paths: the jar, or the folders of a development build. */
    static String classPath() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(entry -> Path.of(entry).toAbsolutePath().normalize().toString())
                .collect(Collectors.joining(File.pathSeparator));
    }
}
