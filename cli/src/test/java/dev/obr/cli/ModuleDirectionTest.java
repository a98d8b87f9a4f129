package dev.obr.cli;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import com.tngtech.archunit.library.Architectures;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import org.junit.jupiter.api.Test;

/** The direction of flow: kernels &lt;- models &lt;- runtime &lt;- compressor &lt;- bench &lt;- cli, and runtime &lt;- server &lt;- cli. */
class ModuleDirectionTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.obr");

    @Test
    void modulesUseOnlyThoseBeforeThem() {
        Architectures.layeredArchitecture()
                .consideringOnlyDependenciesInAnyPackage("dev.obr..")
                .withOptionalLayers(true)
                .layer("kernels")
                .definedBy("dev.obr.kernels..")
                .layer("models")
                .definedBy("dev.obr.models..")
                .layer("runtime")
                .definedBy("dev.obr.runtime..")
                .layer("server")
                .definedBy("dev.obr.server..")
                .layer("compressor")
                .definedBy("dev.obr.compressor..")
                .layer("bench")
                .definedBy("dev.obr.bench..")
                .layer("cli")
                .definedBy("dev.obr.cli..")
                .whereLayer("cli")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("bench")
                .mayOnlyBeAccessedByLayers("cli")
                .whereLayer("server")
                .mayOnlyBeAccessedByLayers("cli")
                .whereLayer("compressor")
                .mayOnlyBeAccessedByLayers("bench", "cli")
                .whereLayer("runtime")
                .mayOnlyBeAccessedByLayers("server", "compressor", "bench", "cli")
                .whereLayer("models")
                .mayOnlyBeAccessedByLayers("runtime", "server", "compressor", "bench", "cli")
                .check(CLASSES);
    }

    @Test
    void theLauncherKnowsNothingOfTheRest() {
        ArchRuleDefinition.noClasses()
                .that()
                .resideInAPackage("dev.obr.launcher..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "dev.obr.cli..",
                        "dev.obr.bench..",
                        "dev.obr.compressor..",
                        "dev.obr.server..",
                        "dev.obr.runtime..",
                        "dev.obr.models..",
                        "dev.obr.kernels..")
                .check(CLASSES);
    }

    @Test
    void onlyOnePackageKnowsJCuda() {
        ArchRuleDefinition.noClasses()
                .that()
                .resideOutsideOfPackage("dev.obr.kernels.cuda..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jcuda..")
                .check(CLASSES);
    }

    @Test
    void packagesOfAModuleFormNoCycles() {
        SlicesRuleDefinition.slices()
                .matching("dev.obr.(**)")
                .should()
                .beFreeOfCycles()
                .check(CLASSES);
    }
}
