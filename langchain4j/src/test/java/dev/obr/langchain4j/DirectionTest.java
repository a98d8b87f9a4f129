package dev.obr.langchain4j;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import org.junit.jupiter.api.Test;

/** The adapter stands on the runtime alone, and nothing stands on it. */
class DirectionTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.obr");

    @Test
    void theAdapterUsesTheRuntimeAndWhatItsInterfaceSpeaksOf() {
        ArchRuleDefinition.classes()
                .that()
                .resideInAPackage("dev.obr.langchain4j..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "dev.obr.langchain4j..",
                        "dev.obr.runtime",
                        "dev.obr.runtime.chat",
                        "dev.obr.runtime.grammar",
                        "dev.obr.runtime.sampling",
                        "dev.obr.models.chat",
                        "dev.obr.models.tokenizer",
                        "dev.obr.kernels",
                        "dev.langchain4j..",
                        "tools.jackson..",
                        "org.jspecify..",
                        "java..")
                .check(CLASSES);
    }

    @Test
    void nothingElseKnowsLangChain4j() {
        ArchRuleDefinition.noClasses()
                .that()
                .resideOutsideOfPackage("dev.obr.langchain4j..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.obr.langchain4j..", "dev.langchain4j..")
                .check(CLASSES);
    }
}
