package dev.obr.cli;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cuda.CudaDevices;
import dev.obr.kernels.cuda.CudaLinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebras;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code --device}: where the linear algebra of a compression is computed. */
final class CompressionDeviceOption {
    private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,4}))?");

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--device",
            paramLabel = "cpu|cuda|cuda:N",
            defaultValue = "cpu",
            description =
                    "What computes calibration, Hessians, factors and products: the CPU, or an NVIDIA GPU, which takes CUDA 12's cuBLAS and cuSOLVER beside the driver. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String name;

    /**
     * What was taken into use.
     *
     * @param why one line: which it is and, if it is not what was asked for, why not
     */
    record Opened(LinearAlgebra algebra, String why) implements AutoCloseable {
        @Override
        public void close() {
            if (algebra instanceof CudaLinearAlgebra gpu) {
                gpu.close();
            }
        }
    }

    /** @throws ObrException where there is no such GPU */
    Opened open(Map<String, String> environment) {
        LinearAlgebras.Choice host = LinearAlgebras.choose(environment);
        if (name.equals("cpu")) {
            return new Opened(host.algebra(), host.why());
        }
        Matcher cuda = CUDA.matcher(name);
        if (!cuda.matches()) {
            throw new ParameterException(
                    spec.commandLine(), "--device is '" + name + "', but must be cpu, cuda or cuda:N");
        }
        CudaDevices.list(); // no GPU is an error, a missing library is not
        String missing = CudaLinearAlgebra.missingLibrary();
        if (!missing.isEmpty()) {
            return new Opened(host.algebra(), host.why() + ", not the GPU: " + missing);
        }
        int index = cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1));
        CudaLinearAlgebra gpu = CudaLinearAlgebra.open(index, host.algebra());
        return new Opened(gpu, "linear algebra: " + gpu.description());
    }
}
