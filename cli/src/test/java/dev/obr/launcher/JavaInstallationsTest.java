package dev.obr.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JavaInstallationsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @Test
    void takesTheFirstNamedHomeThatIsNewEnough() throws IOException {
        Path old = java("named-17", "17.0.15", "java.base jdk.incubator.vector");
        Path named = java("named-27", "27", "java.base jdk.incubator.vector");
        java("jvm/jdk-25", "25.0.1", "java.base jdk.incubator.vector");
        JavaInstallations installations = new JavaInstallations(List.of(old, named), List.of(folder.resolve("jvm")));
        assertThat(installations.find(25)).contains(named.resolve("bin/java").toString());
    }

    @Test
    void takesTheOldestSufficientOneFromTheFolders() throws IOException {
        java("jvm/jdk-8", "1.8.0_402", null);
        java("jvm/a-jdk-27", "27-ea", "java.base jdk.incubator.vector");
        Path wanted = java("jvm/jdk-25/Contents/Home", "25.0.3", null);
        JavaInstallations installations =
                new JavaInstallations(List.of(folder.resolve("missing")), List.of(folder.resolve("jvm")));
        assertThat(installations.find(25)).contains(wanted.resolve("bin/java").toString());
    }

    @Test
    void findsNothingWhereNothingFits() throws IOException {
        java("jvm/jdk-17", "17.0.15", null);
        java("jvm/jre-25-small", "25", "java.base java.logging");
        Files.createDirectories(folder.resolve("jvm/jdk-25-empty"));
        Files.writeString(folder.resolve("jvm/jdk-25-empty/release"), "JAVA_VERSION=\"25\"\n");
        JavaInstallations installations = new JavaInstallations(List.of(), List.of(folder.resolve("jvm")));
        assertThat(installations.find(25)).isEmpty();
        assertThat(installations.places())
                .containsExactly(folder.resolve("jvm/*").toString());
    }

    @Test
    void looksWhereTheEnvironmentPointsAndBesideThePathsJava() throws IOException {
        Path onPath = java("somewhere/jdk-17", "17", null);
        Path sibling = java("somewhere/jdk-25", "25", null);
        Path bin = Files.createDirectories(folder.resolve("bin"));
        Files.createSymbolicLink(bin.resolve("java"), onPath.resolve("bin/java"));
        Path home = java("home-26", "26", null);
        JavaInstallations byHome = JavaInstallations.ofThisMachine(
                Map.of("JAVA_HOME", onPath.toString(), "JDK_HOME", home.toString(), "PATH", bin.toString()));
        assertThat(byHome.find(25)).contains(home.resolve("bin/java").toString());
        JavaInstallations byPath = JavaInstallations.ofThisMachine(Map.of("PATH", bin.toString()));
        assertThat(byPath.places()).contains(onPath.toRealPath().toString());
        assertThat(byPath.places().get(1))
                .isEqualTo(sibling.toRealPath().resolveSibling("*").toString());
    }

    private Path java(String home, String version, @Nullable String modules) throws IOException {
        Path path = Files.createDirectories(folder.resolve(home).resolve("bin")).getParent();
        Files.writeString(
                path.resolve("release"),
                "IMPLEMENTOR=\"Test\"\nJAVA_VERSION=\"" + version + "\"\n"
                        + (modules == null ? "" : "MODULES=\"" + modules + "\"\n"));
        Path java = Files.createFile(path.resolve("bin/java"));
        assertThat(java.toFile().setExecutable(true)).isTrue();
        return path;
    }
}
