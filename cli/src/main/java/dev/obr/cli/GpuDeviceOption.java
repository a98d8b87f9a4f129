package dev.obr.cli;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cuda.CudaDevice;
import dev.obr.kernels.cuda.CudaDevices;
import dev.obr.kernels.emulator.EmulatedDevice;
import dev.obr.kernels.emulator.EmulatedDeviceOptions;
import dev.obr.kernels.emulator.EmulatorOptions;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuDevice;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
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
        private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,4}))?");
        private static final Pattern EMULATOR = Pattern.compile("emulator(?::(\\w+))?");
        private static final List<ComputeCapability> EMULATED = List.of(
                ComputeCapability.SM_80, ComputeCapability.SM_86, ComputeCapability.SM_89, ComputeCapability.SM_90);

        @Override
        public GpuDeviceOption convert(String text) {
            Matcher cuda = CUDA.matcher(text);
            if (cuda.matches()) {
                return new Cuda(cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1)));
            }
            Matcher emulator = EMULATOR.matcher(text);
            if (emulator.matches()) {
                String name = emulator.group(1) == null ? ComputeCapability.SM_80.toString() : emulator.group(1);
                return EMULATED.stream()
                        .filter(capability -> capability.toString().equals(name))
                        .findFirst()
                        .map(Emulated::new)
                        .orElseThrow(() -> new TypeConversionException("'" + name + "' is not emulated; write one of "
                                + EMULATED.stream()
                                        .map(ComputeCapability::toString)
                                        .collect(Collectors.joining(", "))));
            }
            throw new TypeConversionException(
                    "'" + text + "' is no GPU; write cuda, cuda:N, emulator or emulator:sm_80");
        }
    }
}
