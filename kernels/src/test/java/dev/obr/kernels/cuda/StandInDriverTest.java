package dev.obr.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.EmulatedDevice;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuDeviceContract;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.check.Extent;
import dev.obr.kernels.gpu.check.KernelChecker;
import dev.obr.kernels.gpu.check.KernelChecks;
import dev.obr.kernels.gpu.check.Verdict;
import dev.obr.kernels.gpu.linear.LinearLayer;
import dev.obr.kernels.gpu.linear.TokenLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import jcuda.driver.CUevent;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The contract over {@link CudaDevice}, JCuda and a {@link StandInDriver}: what a user with a GPU runs, down to the driver. In a process of its own, which never sees another driver. */
@Tag("stand-in-driver")
@SuppressWarnings("NullAway.Init")
class StandInDriverTest extends GpuDeviceContract {
    private static StandInDriver driver;

    @BeforeAll
    static void loadDriver() {
        String whyNot = StandInDriver.whyNot();
        Assumptions.assumeTrue(whyNot.isEmpty(), whyNot);
        driver = StandInDriver.shared();
    }

    @Override
    protected GpuDevice open() {
        driver.configure(StandInDriver.Options.USUAL);
        return CudaDevice.open(0);
    }

    @AfterEach
    void nothingIsLeft() {
        // This runs before the contract closes its device.
        device().close();
        assertThat(driver.live()).isZero();
    }

    @Override
    protected void closeAfterFailure(GpuDevice failed) {
        assertThat(driver.lastError()).hasMessageContaining("0x10");
        assertThatThrownBy(failed::close).isInstanceOf(ObrException.class).hasMessageContaining("(719");
    }

    /** The kernels of a layer, through JCuda: what they give is what the emulated device gives. */
    @ParameterizedTest
    @CsvSource({"INT4, 4, 12", "INT8, 8, 3", "INT8, 4, 40"})
    void runsALayer(TokenLayout layout, int bits, int tokens) {
        short[] emulated;
        try (EmulatedDevice other = new EmulatedDevice(ComputeCapability.SM_80)) {
            emulated = LinearLayer.run(other, layout, bits, tokens);
        }
        assertThat(LinearLayer.run(device(), layout, bits, tokens)).isEqualTo(emulated);
    }

    /** What gpu-check does first, down to the driver. */
    @Test
    void runsTheChecksOfEveryKernel() {
        assertThat(new KernelChecker(device(), Extent.QUICK).run(KernelChecks.all(), verdict -> {}))
                .allSatisfy(verdict ->
                        assertThat(verdict).returns("", Verdict::says).returns(Verdict.Outcome.OK, Verdict::outcome));
    }

    @Test
    void listsItsGpus() {
        driver.configure(StandInDriver.Options.USUAL.withDevices(2).withDriverVersion(12040));
        CudaDevices.Probe probe = CudaDevices.probe();
        assertThat(probe.refusal()).isEmpty();
        assertThat(probe.gpus())
                .isEqualTo(List.of(
                        new CudaGpu(0, "Stand-in GPU", ComputeCapability.SM_80, 64 << 20, 12040),
                        new CudaGpu(1, "Stand-in GPU", ComputeCapability.SM_80, 64 << 20, 12040)));
        assertThat(probe.gpus().getFirst().cudaVersion()).isEqualTo("12.4");
        assertThatThrownBy(() -> CudaDevice.open(2))
                .isInstanceOf(ObrException.class)
                .hasMessage("there is no GPU 2: this machine's are 0 to 1");
    }

    @Test
    void saysWhyThereIsNone() {
        StandInDriver.Options usual = StandInDriver.Options.USUAL;
        assertThat(refusal(usual.withInitResult(100))).contains("finds no GPU (error 100");
        assertThat(refusal(usual.withDevices(0))).contains("finds no GPU (error 100");
        assertThat(refusal(usual.withInitResult(999))).contains("nvidia-smi");
        assertThat(refusal(usual.withInitResult(803))).contains("error 803");
        assertThat(refusal(usual.withInitResult(46))).contains("cuInit gave error 46");
        assertThat(refusal(usual.withDriverVersion(11040)))
                .isEqualTo(
                        "the NVIDIA driver supports CUDA 11.4, the kernels need 12.0 (driver R525) or newer: update the driver");
    }

    private static String refusal(StandInDriver.Options options) {
        driver.configure(options);
        CudaDevices.Probe probe = CudaDevices.probe();
        assertThat(probe.gpus()).isEmpty();
        return probe.refusal();
    }

    @Test
    void driverErrorsNameTheCallAndTheCode() {
        CudaDevice device = (CudaDevice) device();
        assertThat(device.failure(1, "cuFunction"))
                .hasMessage("GPU 0 (Stand-in GPU): cuFunction failed: CUDA_ERROR_INVALID_VALUE (1, invalid argument)");
        assertThat(device.failure(12345, "cuFunction")).hasMessageContaining("12345");
    }

    @Test
    void worksFromOneThreadAfterAnother() throws InterruptedException {
        GpuMemory memory = device().allocate(4);
        GpuStream stream = device().newStream();
        Thread other = new Thread(() -> {
            stream.fill(memory, 0, 4, (byte) 1);
            stream.synchronize();
            memory.close();
        });
        Throwable[] thrown = new Throwable[1];
        other.setUncaughtExceptionHandler((thread, e) -> thrown[0] = e);
        other.start();
        other.join();
        assertThat(thrown[0]).isNull();
    }

    @Test
    void aResultIsNotThereBeforeAnybodyWaits() {
        GpuMemory memory = device().allocate(4);
        GpuStream stream = device().newStream();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment out = arena.allocate(4);
            stream.fill(memory, 0, 4, (byte) 9);
            stream.copyOut(memory, 0, out);
            assertThat(out.toArray(ValueLayout.JAVA_BYTE)).containsOnly(0xD5);
            stream.synchronize();
            assertThat(out.toArray(ValueLayout.JAVA_BYTE)).containsOnly(9);
        }
    }

    /** What {@link CudaDevice} keeps from the driver, the stand-in would not let pass. */
    @Test
    void theStandInIsStrict() {
        device().allocate(1); // makes the context current
        DeviceAddress memory = new DeviceAddress();
        DeviceAddress more = new DeviceAddress();
        CUstream stream = new CUstream();
        CUevent event = new CUevent();
        assertThat(JCudaDriver.cuMemAlloc(memory, 16)).isZero();
        assertThat(JCudaDriver.cuMemAlloc(more, 65 << 20)).isEqualTo(CUresult.CUDA_ERROR_OUT_OF_MEMORY);
        assertThat(JCudaDriver.cuMemsetD8Async(memory, (byte) 0, 16, stream))
                .as("no stream")
                .isEqualTo(CUresult.CUDA_ERROR_INVALID_HANDLE);
        assertThat(JCudaDriver.cuStreamCreate(stream, 0)).isZero();
        assertThat(JCudaDriver.cuEventCreate(event, 0)).isZero();
        assertThat(JCudaDriver.cuMemsetD8Async(memory.withByteOffset(1), (byte) 0, 16, stream))
                .as("past the end")
                .isEqualTo(CUresult.CUDA_ERROR_INVALID_VALUE);
        try (Arena arena = Arena.ofConfined()) {
            HostAddress host = new HostAddress(arena.allocate(16));
            assertThat(JCudaDriver.cuMemcpyHtoDAsync(memory, memory, 16, stream))
                    .as("a device address for the host's")
                    .isEqualTo(CUresult.CUDA_ERROR_INVALID_VALUE);
            assertThat(JCudaDriver.cuMemFree(memory)).isZero();
            assertThat(JCudaDriver.cuMemcpyHtoDAsync(memory, host, 16, stream))
                    .as("freed")
                    .isEqualTo(CUresult.CUDA_ERROR_INVALID_VALUE);
        }
        assertThat(JCudaDriver.cuMemFree(memory)).as("twice").isEqualTo(CUresult.CUDA_ERROR_INVALID_VALUE);
        assertThat(JCudaDriver.cuEventDestroy(event)).isZero();
        assertThat(JCudaDriver.cuEventRecord(event, stream)).isEqualTo(CUresult.CUDA_ERROR_INVALID_HANDLE);
        assertThat(JCudaDriver.cuStreamDestroy(stream)).isZero();
        assertThat(JCudaDriver.cuStreamSynchronize(stream)).isEqualTo(CUresult.CUDA_ERROR_INVALID_HANDLE);
        assertThat(JCudaDriver.cuMemAllocManaged(more, 16, 1))
                .as("not of CudaDevice's functions")
                .isEqualTo(CUresult.CUDA_ERROR_NOT_SUPPORTED);
    }
}
