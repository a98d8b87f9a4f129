package dev.obr.cli;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cuda.CudaDevice;
import dev.obr.kernels.cuda.CudaDevices;
import dev.obr.kernels.emulator.EmulatedDevice;
import dev.obr.kernels.emulator.EmulatedDeviceOptions;
import dev.obr.kernels.emulator.EmulatorOptions;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.DeviceName;
import dev.obr.kernels.gpu.GpuDevice;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A device that runs GPU kernels, as {@code --device} names it: {@code cuda}, {@code cuda:1}, {@code emulator}, {@code emulator:sm_90}. */
sealed interface GpuDeviceOption {
    /** @throws ObrException where there is none, saying why */
    GpuDevice open();

    /** Whether the time that it takes says anything about a GPU. */
    boolean timed();

    /** What drives it, as a line of a report says it. */
    String driver();

    /** A GPU behind NVIDIA's driver. */
    record Cuda(int index) implements GpuDeviceOption {
        @Override
        public GpuDevice open() {
            return CudaDevice.open(index);
        }

        @Override
        public boolean timed() {
            return true;
        }

        @Override
        public String driver() {
            return "driver for CUDA " + CudaDevices.list().get(index).cudaVersion();
        }
    }

    /** The PTX emulator as a GPU of some architecture. */
    record Emulated(ComputeCapability capability) implements GpuDeviceOption {
        @Override
        public GpuDevice open() {
            int threads = Runtime.getRuntime().availableProcessors();
            return new EmulatedDevice(EmulatedDeviceOptions.checked(capability)
                    .withEmulator(EmulatorOptions.checked().withThreads(threads)));
        }

        @Override
        public boolean timed() {
            return false;
        }

        @Override
        public String driver() {
            return "every instruction checked";
        }
    }

    /** Reads the option. */
    final class Converter implements ITypeConverter<GpuDeviceOption> {
        @Override
        public GpuDeviceOption convert(String text) {
            DeviceName name;
            try {
                name = DeviceName.parse(text);
            } catch (ObrException e) {
                throw none(text);
            }
            return switch (name.kind()) {
                case CUDA -> new Cuda(name.index());
                case EMULATOR -> new Emulated(name.capability());
                case AUTO, CPU -> throw none(text);
            };
        }

        private static TypeConversionException none(String text) {
            return new TypeConversionException(
                    "'" + text + "' is no GPU; write cuda, cuda:N, emulator or emulator:sm_80, sm_86, sm_89 or sm_90");
        }
    }
}
