package dev.obr.runtime.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.runtime.Generation;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.Session;
import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Several models, or the library several times, in one JVM. */
class SideBySideTest {
    private static final GenerationOptions GREEDY = GenerationOptions.greedy().withMaxTokens(24);

    @TempDir
    Path folder;

    @Test
    void twoModelsTakeTurns() {
        String story;
        String novel;
        try (LanguageModel stories = Stories.open()) {
            story = Stories.tell(stories);
        }
        try (LanguageModel novels = LanguageModel.openDemo(RuntimeOptions.defaults());
                Session session = novels.newSession()) {
            novel = session.generate("The sea", GREEDY).result().text();
        }
        try (LanguageModel novels = LanguageModel.openDemo(RuntimeOptions.defaults());
                Session second = novels.newSession()) {
            Generation secondText;
            try (LanguageModel stories = Stories.open();
                    Session first = stories.newSession()) {
                Generation firstText = first.generate(Stories.PROMPT, GREEDY);
                secondText = second.generate("The sea", GREEDY);
                for (int token = 0; token < 12; token++) {
                    firstText.next();
                    secondText.next();
                }
                assertThat(firstText.result().text()).isEqualTo(story).isEqualTo(Stories.TEXT);
            }
            assertThat(secondText.result().text())
                    .as("closing one leaves the other alone")
                    .isEqualTo(novel);
        }
    }

    /** As two applications in one server have it: each its own copy of the classes, of kernels and of the tokenizers library. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void eachClassLoaderLoadsTheLibrary() throws Exception {
        List<String> lines = Jvm.run(ThreeLoaders.class, List.of(), Map.of());
        assertThat(lines).containsExactly("native " + Stories.TEXT, "native " + Stories.TEXT, "native " + Stories.TEXT);
    }

    /** As a container whose root is read-only has it. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void noFolderNeedsToBeWritable() throws Exception {
        String file = Files.createFile(folder.resolve("no-folder")).toString();
        List<String> lines = Jvm.run(
                Telling.class,
                List.of("-Duser.home=" + file, "-Djava.io.tmpdir=/proc"), // which is a folder, but takes none
                Map.of("OBR_CACHE", file, "XDG_CACHE_HOME", file));
        assertThat(lines).containsExactly("native " + Stories.TEXT);
    }

    /** What each class loader runs. */
    public static final class Telling {
        public static void main(String[] args) {
            try (LanguageModel model = Stories.open()) {
                System.out.println(model.kernelsName() + " " + Stories.tell(model));
            }
        }
    }

    /** Three, while the first stays open. */
    static final class ThreeLoaders {
        public static void main(String[] args) throws Exception {
            List<URLClassLoader> loaders = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                URLClassLoader loader = new URLClassLoader(classPath(), ClassLoader.getPlatformClassLoader());
                loaders.add(loader);
                loader.loadClass(Telling.class.getName())
                        .getMethod("main", String[].class)
                        .invoke(null, (Object) new String[0]);
            }
            for (URLClassLoader loader : loaders) {
                loader.close();
            }
        }

        private static URL[] classPath() throws MalformedURLException {
            String[] entries = System.getProperty("java.class.path").split(File.pathSeparator, -1);
            URL[] urls = new URL[entries.length];
            for (int i = 0; i < urls.length; i++) {
                urls[i] = Path.of(entries[i]).toUri().toURL();
            }
            return urls;
        }
    }
}
