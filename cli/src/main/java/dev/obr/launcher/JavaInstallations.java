package dev.obr.launcher;

import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where Java is installed on this machine: what the user named (JAVA_HOME, JDK_HOME, PATH), then the folders that package managers and IDEs install to.
 *
 * <p>A Java says its version in its {@code release} file, so none is started to be asked.
 */
final class JavaInstallations {
    private static final Pattern VERSION = Pattern.compile("JAVA_VERSION=\"(?:1\\.)?(\\d+)");
    private static final Pattern MODULES = Pattern.compile("MODULES=\"([^\"]*)\"");

    private final List<Path> named;
    private final List<Path> folders;

    /**
     * @param named Java homes to try first, in this order
     * @param folders folders that hold Java homes
     */
    JavaInstallations(List<Path> named, List<Path> folders) {
        this.named = List.copyOf(named);
        this.folders = List.copyOf(folders);
    }

    static JavaInstallations ofThisMachine(Map<String, String> environment) {
        Set<Path> named = new LinkedHashSet<>();
        Set<Path> folders = new LinkedHashSet<>();
        for (String variable : List.of("JAVA_HOME", "JDK_HOME")) {
            Path home = path(environment.get(variable));
            if (home != null) {
                named.add(home);
            }
        }
        for (String folder : environment.getOrDefault("PATH", "").split(File.pathSeparator, -1)) {
            Path home = homeOfExecutable(path(folder));
            if (home != null) {
                named.add(home);
                if (home.getParent() != null) {
                    folders.add(home.getParent());
                }
            }
        }
        Path user = Path.of(System.getProperty("user.home"));
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        if (os.startsWith("windows")) {
            for (String variable : List.of("ProgramFiles", "LOCALAPPDATA")) {
                Path base = path(environment.get(variable));
                if (base != null) {
                    for (String vendor : List.of("Java", "Eclipse Adoptium", "Microsoft", "Zulu", "Amazon Corretto")) {
                        folders.add(base.resolve(vendor));
                    }
                }
            }
        } else if (os.startsWith("mac")) {
            folders.add(Path.of("/Library/Java/JavaVirtualMachines"));
            folders.add(user.resolve("Library/Java/JavaVirtualMachines"));
        } else {
            folders.add(Path.of("/usr/lib/jvm"));
            folders.add(Path.of("/usr/java"));
            folders.add(Path.of("/opt"));
        }
        folders.add(user.resolve(".sdkman/candidates/java"));
        folders.add(user.resolve(".jdks"));
        return new JavaInstallations(List.copyOf(named), List.copyOf(folders));
    }

    /** The {@code java} of the first named home that is at least {@code version}, else of the oldest such one in the folders: the closest to what was tested. */
    Optional<String> find(int version) {
        Optional<Path> home = named.stream().filter(h -> version(h) >= version).findFirst();
        if (home.isEmpty()) {
            home = folders.stream()
                    .flatMap(folder -> homesIn(folder).stream())
                    .filter(h -> version(h) >= version)
                    .min(Comparator.comparingInt(JavaInstallations::version));
        }
        return home.map(h -> executable(h.toString()));
    }

    /** What {@link #find} looks at, for people. */
    List<String> places() {
        List<String> places = new ArrayList<>();
        named.forEach(home -> places.add(home.toString()));
        folders.forEach(folder -> places.add(folder.resolve("*").toString()));
        return places;
    }

    /** The {@code java} of a Java home. */
    static String executable(String home) {
        return home + File.separator + "bin" + File.separator + (File.separatorChar == '\\' ? "java.exe" : "java");
    }

    /** The version of the Java at {@code home}; 0 where there is none, or one that lacks the Vector API. */
    static int version(Path home) {
        try {
            String release = Files.readString(home.resolve("release"));
            Matcher version = VERSION.matcher(release);
            Matcher modules = MODULES.matcher(release);
            boolean complete =
                    !modules.find() || List.of(modules.group(1).split(" ")).contains("jdk.incubator.vector");
            boolean runnable = Files.isExecutable(Path.of(executable(home.toString())));
            return complete && runnable && version.find() ? Integer.parseInt(version.group(1)) : 0;
        } catch (IOException e) {
            return 0; // no Java here, or none that we may read
        }
    }

    private static List<Path> homesIn(Path folder) {
        List<Path> homes = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                homes.add(entry);
                homes.add(entry.resolve("Contents").resolve("Home")); // macOS bundles
            }
        } catch (IOException e) {
            return List.of();
        }
        homes.sort(Comparator.naturalOrder());
        return homes;
    }

    /** The home of the {@code java} in {@code bin}, with links followed: {@code /usr/bin/java} leads to {@code /usr/lib/jvm/x}. */
    private static @Nullable Path homeOfExecutable(@Nullable Path bin) {
        if (bin == null) {
            return null;
        }
        try {
            Path java = bin.resolve(File.separatorChar == '\\' ? "java.exe" : "java");
            Path realBin = java.toRealPath().getParent();
            return realBin == null ? null : realBin.getParent();
        } catch (IOException e) {
            return null;
        }
    }

    private static @Nullable Path path(@Nullable String text) {
        if (text == null || text.isBlank()) {
            return null;
        }
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            return null;
        }
    }
}
