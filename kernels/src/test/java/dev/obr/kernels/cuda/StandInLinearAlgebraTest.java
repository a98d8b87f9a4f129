package dev.obr.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.linalg.JavaLinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebraTest;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The numbers that OpenBLAS is held to, from {@link CudaLinearAlgebra}, JCuda and libraries that stand in for NVIDIA's. Nothing is left to the host. */
@Tag("stand-in-driver")
class StandInLinearAlgebraTest extends LinearAlgebraTest {
    @BeforeAll
    static void load() {
        String whyNot = StandInDriver.whyNot();
        Assumptions.assumeTrue(whyNot.isEmpty(), whyNot);
        StandInDriver.shared().configure(StandInDriver.Options.USUAL);
        StandInLibraries.shared();
    }

    private static CudaLinearAlgebra open() {
        return CudaLinearAlgebra.open(0, new JavaLinearAlgebra(), 0);
    }

    @AfterAll
    static void nothingIsLeft() {
        if (StandInDriver.whyNot().isEmpty()) {
            assertThat(StandInDriver.shared().live()).isZero();
        }
    }

    /** A fresh one for each test, which JUnit closes. */
    static Stream<LinearAlgebra> implementations() {
        return Stream.of(open());
    }

    @Test
    void saysWhatItIs() {
        try (CudaLinearAlgebra algebra = open()) {
            assertThat(algebra.description())
                    .isEqualTo("cuBLAS 12.6.1 on GPU 0 (Stand-in GPU), and plain Java for what is small");
        }
    }

    /** CUBLAS_DEFAULT_MATH: float32 products are not cut to the 10 bits of TF32. */
    @Test
    void tensorCoresShorterFormsAreOff() {
        open().close();
        assertThat(StandInLibraries.shared().mathMode()).isZero();
    }
}
