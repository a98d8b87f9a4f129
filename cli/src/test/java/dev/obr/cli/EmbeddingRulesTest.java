package dev.obr.cli;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import com.tngtech.archunit.lang.syntax.elements.GivenClassesConjunction;
import com.tngtech.archunit.library.GeneralCodingRules;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a guest in somebody else's JVM does not do: print, exit, look into properties of which nobody knows, leave threads behind. */
class EmbeddingRulesTest {
    private static final JavaClasses LIBRARY = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(
                    "dev.obr.kernels", "dev.obr.models", "dev.obr.runtime", "dev.obr.server", "dev.obr.compressor");

    private static final Set<String> OF_THE_PROCESS =
            Set.of("exit", "halt", "addShutdownHook", "setOut", "setErr", "setIn", "load", "loadLibrary");
    private static final Set<String> SETTINGS = Set.of(
            "getProperty",
            "getProperties",
            "setProperty",
            "clearProperty",
            "getenv",
            "getInteger",
            "getLong",
            "getBoolean");

    @Test
    void nothingIsPrinted() {
        GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(LIBRARY);
    }

    /** The one exception loads the tokenizers library, whose Java half is bound to it by JNI. */
    @Test
    void theProcessIsNotOurs() {
        library()
                .and()
                .doNotHaveFullyQualifiedName("dev.obr.models.tokenizer.NativeTokenizers")
                .should()
                .accessTargetWhere(call("change the process", List.of(System.class, Runtime.class), OF_THE_PROCESS))
                .check(LIBRARY);
    }

    @Test
    void settingsAreReadInOnePlace() {
        ArchRuleDefinition.noClasses()
                .that()
                .resideInAnyPackage("dev.obr.kernels..", "dev.obr.models..", "dev.obr.runtime..")
                .and()
                .doNotHaveFullyQualifiedName("dev.obr.kernels.HostSettings")
                .should()
                .accessTargetWhere(call(
                        "read properties or the environment",
                        List.of(System.class, Integer.class, Long.class, Boolean.class),
                        SETTINGS))
                .check(LIBRARY);
    }

    /** Threads are started where {@code close} or the end of the call ends them, and never taken from pools that everybody shares. */
    @Test
    void threadsAreStartedWhereTheyAreEnded() {
        library()
                .and()
                .doNotHaveFullyQualifiedName("dev.obr.kernels.cpu.ThreadTeam$Worker")
                .and()
                .doNotHaveFullyQualifiedName("dev.obr.kernels.emulator.Emulator")
                .and()
                .doNotHaveFullyQualifiedName("dev.obr.models.demo.DemoModel")
                .and()
                .resideOutsideOfPackage("dev.obr.models.hub..") // a pull ends its own
                .and()
                .doNotHaveFullyQualifiedName("dev.obr.runtime.BatchScheduler")
                .and()
                .resideOutsideOfPackage("dev.obr.server..") // one virtual thread a request and a choice
                .should()
                .accessTargetWhere(DescribedPredicate.describe("start threads", EmbeddingRulesTest::startsThreads))
                .check(LIBRARY);
    }

    private static GivenClassesConjunction library() {
        return ArchRuleDefinition.noClasses().that().resideInAPackage("dev.obr..");
    }

    private static boolean startsThreads(JavaAccess<?> access) {
        String owner = access.getTargetOwner().getName();
        String name = access.getTarget().getName();
        return switch (owner) {
            case "java.lang.Thread" ->
                Set.of("ofPlatform", "ofVirtual", "startVirtualThread", "<init>")
                        .contains(name);
            case "java.util.concurrent.Executors", "java.util.concurrent.ForkJoinPool", "java.util.Timer" -> true;
            case "java.util.concurrent.CompletableFuture" -> name.endsWith("Async");
            default -> name.equals("parallel") || name.equals("parallelStream");
        };
    }

    private static DescribedPredicate<JavaAccess<?>> call(String what, List<Class<?>> owners, Set<String> names) {
        return DescribedPredicate.describe(
                what,
                access -> owners.stream().anyMatch(access.getTargetOwner()::isEquivalentTo)
                        && names.contains(access.getTarget().getName()));
    }
}
