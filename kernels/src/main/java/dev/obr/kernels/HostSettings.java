package dev.obr.kernels;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the library reads of the JVM's system properties and the environment, and what it sets there for libraries that cannot be told otherwise. Nothing else in kernels, models and runtime looks
 * there, so this is the whole list.
 */
public final class HostSettings {
    private HostSettings() {}

    /** {@code -Dobr.kernels}: the twin that is asked for, {@code auto} where none is. */
    public static String kernels() {
        return System.getProperty("obr.kernels", "auto");
    }

    /** {@code -Dobr.cpu}: the most that native kernels may use of the processor, or null. */
    public static @Nullable String cpuCap() {
        return System.getProperty("obr.cpu");
    }

    /** The environment: OBR_CACHE and XDG_CACHE_HOME are looked up in it. */
    public static Map<String, String> environment() {
        return System.getenv();
    }

    /** As Java calls the operating system, e.g. {@code Linux}. */
    public static String osName() {
        return System.getProperty("os.name");
    }

    /** As Java calls the architecture, e.g. {@code amd64}. */
    public static String osArch() {
        return System.getProperty("os.arch");
    }

    /** Whether this is Windows. */
    public static boolean windows() {
        return osName().startsWith("Windows");
    }

    /** The user's folder, or "" where there is none. */
    public static String userHome() {
        return System.getProperty("user.home", "");
    }

    /** The user's name. */
    public static String userName() {
        return System.getProperty("user.name", "user");
    }

    /** {@code java.io.tmpdir}. */
    public static String temporaryFolder() {
        return System.getProperty("java.io.tmpdir");
    }

    /** Keeps Deep Java Library off the network: its metrics and downloads ask this flag. Who has set it himself is obeyed. */
    public static void keepDjlOffline() {
        if (System.getProperty("ai.djl.offline") == null) {
            System.setProperty("ai.djl.offline", "true");
        }
    }

    /** Runs {@code body} while {@code java.io.tmpdir} is {@code folder}: the only place where JCuda looks for its native halves. */
    public static void withTemporaryFolder(String folder, Runnable body) {
        String before = temporaryFolder();
        System.setProperty("java.io.tmpdir", folder);
        try {
            body.run();
        } finally {
            System.setProperty("java.io.tmpdir", before);
        }
    }
}
