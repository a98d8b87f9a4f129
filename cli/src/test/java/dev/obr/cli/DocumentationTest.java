package dev.obr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What programmers read: of every public type and package a sentence, and a README whose program is the one that is tested. ({@code make javadoc} checks what the sentences are made of.) */
class DocumentationTest {
    private static final List<String> PUBLISHED = List.of("kernels", "models", "runtime", "server", "compressor");
    private static final Path EMBED = Path.of("../examples/embed");

    @Test
    void everyPublicTypeSaysWhatItIs() throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        List<String> silent = new ArrayList<>();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask) compiler.getTask(
                    null, files, null, List.of("-proc:none"), null, files.getJavaFileObjectsFromPaths(sources()));
            DocTrees comments = DocTrees.instance(task);
            for (CompilationUnitTree file : task.parse()) {
                new PublicTypes(comments, silent).scan(file, null);
            }
        }
        assertThat(silent).isEmpty();
    }

    /** Visits public types that lie in public types. */
    private static final class PublicTypes extends TreePathScanner<@Nullable Void, @Nullable Void> {
        private final DocTrees comments;
        private final List<String> silent;

        PublicTypes(DocTrees comments, List<String> silent) {
            this.comments = comments;
            this.silent = silent;
        }

        @Override
        public @Nullable Void visitClass(ClassTree type, @Nullable Void unused) {
            TreePath path = getCurrentPath();
            if (!isPublic(type.getModifiers(), path)) {
                return null;
            }
            if (comments.getDocComment(path) == null) {
                silent.add(path.getCompilationUnit().getSourceFile().getName() + ": " + type.getSimpleName());
            }
            return super.visitClass(type, null);
        }

        private static boolean isPublic(ModifiersTree modifiers, TreePath path) {
            boolean ofAnInterface =
                    path.getParentPath().getLeaf() instanceof ClassTree outer && outer.getKind() == Tree.Kind.INTERFACE;
            return ofAnInterface || modifiers.getFlags().contains(Modifier.PUBLIC);
        }
    }

    @Test
    void everyPackageSaysWhatItHolds() throws IOException {
        TreeSet<Path> folders = new TreeSet<>();
        sources().forEach(file -> folders.add(file.getParent()));
        for (Path folder : folders) {
            assertThat(folder.resolve("package-info.java")).content().contains("/**");
        }
    }

    @Test
    void theReadmesProgramIsTheTestedOne() throws IOException {
        String readme = Files.readString(Path.of("../README.md"));
        assertThat(Files.readString(EMBED.resolve("src/main/java/example/Main.java")))
                .isEqualTo("package example;\n\n" + block(readme, "java"));
        assertThat(Files.readString(EMBED.resolve("pom.xml")).replaceAll("(?m)^  ", ""))
                .contains(block(readme, "xml"));
    }

    /** Who imports the versions gets all that is published, and in one version. */
    @Test
    void versionsBelongTogether() throws IOException {
        String versions = Files.readString(Path.of("../bom/pom.xml"));
        String parent = Files.readString(Path.of("../pom.xml"));
        Matcher modules = Pattern.compile("<module>([\\w-]+)</module>").matcher(parent);
        while (modules.find()) {
            String pom = Files.readString(Path.of("..", modules.group(1), "pom.xml"));
            if (!modules.group(1).equals("bom") && !pom.contains("<maven.deploy.skip>true<")) {
                assertThat(versions)
                        .as("bom/pom.xml lists each published module")
                        .contains("<artifactId>obr-" + modules.group(1) + "</artifactId>");
            }
        }
        String version = "<version>0\\.1\\.0[^<]*</version>";
        assertThat(first(version, versions)).isEqualTo(first(version, parent));
        assertThat(Files.readString(Path.of("../README.md"))).contains(first(version, parent));
    }

    private static String first(String pattern, String text) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        assertThat(matcher.find()).as(pattern).isTrue();
        return matcher.group();
    }

    /** The first block of that language behind the heading. */
    private static String block(String readme, String language) {
        String fence = "```" + language + "\n";
        int from = readme.indexOf(fence, readme.indexOf("## Use as a library")) + fence.length();
        return readme.substring(from, readme.indexOf("```", from));
    }

    private static List<Path> sources() throws IOException {
        List<Path> sources = new ArrayList<>();
        for (String module : PUBLISHED) {
            try (Stream<Path> files = Files.walk(Path.of("..", module, "src/main/java"))) {
                files.filter(file -> file.toString().endsWith(".java")).forEach(sources::add);
            }
        }
        return sources;
    }
}
