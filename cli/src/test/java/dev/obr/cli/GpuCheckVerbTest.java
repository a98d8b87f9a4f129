package dev.obr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.cuda.CudaDevices;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.LaunchShape;
import dev.obr.kernels.gpu.check.Comparison;
import dev.obr.kernels.gpu.check.DeviceData;
import dev.obr.kernels.gpu.check.Extent;
import dev.obr.kernels.gpu.check.KernelCase;
import dev.obr.kernels.gpu.check.KernelCheck;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class GpuCheckVerbTest {
    private static final String EMULATOR = "--device=emulator";

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path folder;

    @Test
    void checksKernelsAndWritesWhatItFound() throws IOException {
        Ran ran = Ran.verb(
                "gpu-check",
                "--device",
                "emulator:sm_90",
                "--quick",
                "--only",
                "embed,gemm_s4",
                "--output",
                folder + "/new");
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        assertThat(ran.out())
                .startsWith("# PTX emulator as sm_90: sm_90, 132 multiprocessors, 1.0 GiB, ")
                .containsPattern("\\| embed +\\| +2 \\| +2904 \\| +0 \\| ok \\|\n")
                .containsPattern("\\| gemm_s4 +\\| +0 .* not for this GPU: .*: use 8-bit activations")
                .endsWith("All kernels compute what their scalar twins do.\n");
        String name = LocalDate.now() + "-gpu-check-ptx-emulator-as-sm-90";
        assertThat(folder.resolve("new").resolve(name + ".md")).hasContent(ran.out());
        JsonNode json = JsonMapper.shared()
                .readTree(Files.readString(folder.resolve("new").resolve(name + ".json")));
        assertThat(json.path("passed").asBoolean()).isTrue();
        assertThat(json.path("kernels").get(1).path("kernel").asString()).isEqualTo("embed");
        assertThat(json.path("kernels").get(1).path("values").asInt()).isEqualTo(2904);
    }

    @Test
    void anEmulatorIsNotTimed() {
        Ran ran = with(data -> right(), EMULATOR, "--quick");
        assertThat(ran.exitCode()).isZero();
        assertThat(ran.out()).contains("Nothing is timed: an emulator's time says nothing about a GPU's");
    }

    @Test
    void aWrongKernelIsSaidAndFails() {
        Ran ran = with(
                data -> new Comparison(6, 0.5, "token 1, feature 2 is 3, not 4"),
                EMULATOR,
                "--output",
                folder.toString());
        assertThat(ran.exitCode()).isEqualTo(1);
        assertThat(ran.out())
                .containsPattern(
                        "\\| embed +\\| +1 \\| +6 \\| +5.00e-01 \\| WRONG: the case: token 1, feature 2 is 3, not 4 \\|\n")
                .contains("NOT RIGHT: embed. ");
        assertThat(ran.err()).contains("written to ");
        assertThat(folder).isDirectoryContaining("glob:**.json");
    }

    /** The device answers nothing any more: an emulated one after a failure of its own. */
    @Test
    void aLostGpuIsSaidAndFails() {
        Ran ran = with(GpuCheckVerbTest::lose, EMULATOR);
        assertThat(ran.exitCode()).isEqualTo(1);
        assertThat(ran.out())
                .containsPattern("\\| embed .*\\| FAILED: the case: ")
                .containsPattern("\\| argmax .*\\| not reached \\|\n")
                .endsWith(
                        "The GPU was lost with embed: its driver refuses this process from there on. Run again with --only to check the others alone.\n");
    }

    private static Comparison right() {
        return new Comparison(6, 0, null);
    }

    private static Comparison lose(DeviceData data) {
        String ptx = """
                .version 7.8
                .target sm_80
                .address_size 64
                .visible .entry k()
                {
                	.reg .b64 %rd<2>;
                	.reg .b32 %r<2>;
                	mov.u64 %rd1, 16;
                	ld.global.u32 %r1, [%rd1];
                	ret;
                }
                """;
        data.stream()
                .launch(data.device().load("k.ptx", ptx).kernel("k"), LaunchShape.of(1, 32, 0), new KernelArguments());
        data.stream().synchronize();
        return right();
    }

    /** The verb with one case for {@code embed}, and one for {@code argmax} that is right. */
    private static Ran with(Function<DeviceData, Comparison> embed, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console console = new Console(new ByteArrayInputStream(new byte[0]), out, err, false, Map.of());
        List<KernelCheck> checks = List.of(
                new KernelCheck("embed", KernelModule.EMBED, List.of(new Case(embed))),
                new KernelCheck("argmax", KernelModule.ARGMAX, List.of(new Case(data -> right()))));
        int exitCode = new CommandLine(new GpuCheckCommand(console, checks)).execute(arguments);
        return new Ran(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private record Case(Function<DeviceData, Comparison> does) implements KernelCase {
        @Override
        public Extent extent() {
            return Extent.QUICK;
        }

        @Override
        public Comparison run(DeviceData data) {
            return does.apply(data);
        }

        @Override
        public String toString() {
            return "the case";
        }
    }

    @Test
    void withoutAGpuItSaysWhy() {
        String refusal = CudaDevices.probe().refusal();
        Assumptions.assumeFalse(refusal.isEmpty(), "there is a GPU here");
        Ran ran = Ran.verb("gpu-check");
        assertThat(ran.exitCode()).isEqualTo(1);
        assertThat(ran.out()).isEmpty();
        assertThat(ran.err()).isEqualTo("error: " + refusal + "\n");
    }

    @Test
    void refusesWhatIsNoDeviceAndNoKernel() {
        assertThat(Ran.verb("gpu-check", "--device", "tpu"))
                .returns(2, Ran::exitCode)
                .satisfies(ran -> assertThat(ran.err())
                        .contains("'tpu' is no GPU; write cuda, cuda:N, emulator or emulator:sm_80"));
        assertThat(Ran.verb("gpu-check", "--device", "emulator:sm_75"))
                .returns(2, Ran::exitCode)
                .satisfies(ran ->
                        assertThat(ran.err()).contains("'emulator:sm_75' is no GPU; write cuda, cuda:N, emulator"));
        assertThat(Ran.verb("gpu-check", "--device", "emulator", "--only", "fft"))
                .returns(2, Ran::exitCode)
                .satisfies(ran -> assertThat(ran.err()).contains("'fft' is no kernel; these are: spgemm_s4, "));
    }
}
