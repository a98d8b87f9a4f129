package dev.obr.runtime;

import dev.obr.kernels.HostSettings;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.kernels.cpu.ThreadPlacement;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.cuda.CudaDevice;
import dev.obr.kernels.cuda.CudaDevices;
import dev.obr.kernels.cuda.CudaGpu;
import dev.obr.kernels.emulator.EmulatedDevice;
import dev.obr.kernels.emulator.EmulatedDeviceOptions;
import dev.obr.kernels.emulator.EmulatorOptions;
import dev.obr.kernels.gpu.DeviceName;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.quantize.ActivationQuantizer;
import dev.obr.models.Model;
import dev.obr.models.Quantization;
import dev.obr.runtime.RuntimeOptions.Activations;
import dev.obr.runtime.cpu.CpuBackend;
import dev.obr.runtime.gpu.GpuPrecision;
import dev.obr.runtime.gpu.GpuRequirements;
import dev.obr.runtime.gpu.GpuTransformer;
import dev.obr.runtime.transformer.ForwardPass;
import dev.obr.runtime.transformer.KvType;
import dev.obr.runtime.transformer.Precision;
import dev.obr.runtime.transformer.Transformer;
import java.util.Optional;

/**
 * A model on the device that its options ask for, or that suits it.
 *
 * @param kernelsName {@code scalar}, {@code vector}, {@code native}, or {@code ptx}
 * @param description which kernels run, and why not faster ones: one line
 * @param promptBits of activations where tokens are computed together; 16 for floats
 * @param stepBits of activations where one is computed alone
 */
record RunningPass(ForwardPass pass, String kernelsName, String description, int promptBits, int stepBits) {
    private static final String REMEDY = ": run it on the CPU (--device cpu).";

    /** @throws ObrException where the device asked for cannot run the model as asked, in one sentence */
    static RunningPass open(Model model, RuntimeOptions options, int contextLength) {
        String asked = options.device();
        DeviceName name = DeviceName.parse(asked == null ? "auto" : asked);
        return switch (name.kind()) {
            case CPU -> cpu(model, options, "");
            case AUTO -> auto(model, options, contextLength);
            case CUDA, EMULATOR -> {
                Optional<String> refusal = refusal(model, options);
                if (refusal.isPresent()) {
                    throw new ObrException(refusal.get() + REMEDY);
                }
                yield gpu(model, options, contextLength, name.toString(), open(name, options));
            }
        };
    }

    /** The first GPU that runs the model, else the CPU: without a word where nobody has asked and there is no driver. */
    private static RunningPass auto(Model model, RuntimeOptions options, int contextLength) {
        boolean asked = options.device() != null;
        if (!asked && (options.kernels() != null || !CudaDevices.driverPresent())) {
            return cpu(model, options, "");
        }
        Optional<String> refusal = refusal(model, options);
        if (refusal.isPresent()) {
            return cpu(model, options, refusal.get());
        }
        CudaDevices.Probe probe = CudaDevices.probe();
        String why = probe.refusal();
        for (CudaGpu gpu : probe.gpus()) {
            DeviceName name = DeviceName.parse("cuda:" + gpu.index());
            try {
                return gpu(model, options, contextLength, name.toString(), open(name, options));
            } catch (ObrException e) {
                why = String.valueOf(e.getMessage());
            }
        }
        return cpu(model, options, why);
    }

    /** Why no GPU runs a model as it is to be run. */
    private static Optional<String> refusal(Model model, RuntimeOptions options) {
        Activations activations = options.activations();
        if (options.kernels() != null) {
            return Optional.of("The kernels " + options.kernels() + " were asked for, which are a CPU's");
        }
        Optional<String> ofTheModel = GpuRequirements.refusal(model);
        if (ofTheModel.isPresent()) {
            return ofTheModel;
        }
        if (activations.simulated()) {
            return Optional.of("Quantisation is to be simulated, but GPUs multiply integers");
        }
        if (activations.bits() == 16) {
            return Optional.of("Activations of 16 bits were asked for, but GPUs multiply those of 4 or 8");
        }
        KvType kv = options.kvOf(model);
        if (kv != KvType.INT4) {
            return Optional.of("Keys and values were asked for as " + kv.label() + ", but GPUs keep them as int4");
        }
        return Optional.empty();
    }

    private static GpuDevice open(DeviceName name, RuntimeOptions options) {
        if (name.kind() == DeviceName.Kind.CUDA) {
            return CudaDevice.open(name.index());
        }
        EmulatorOptions emulator = EmulatorOptions.checked().withThreads(threads(options));
        return new EmulatedDevice(
                EmulatedDeviceOptions.checked(name.capability()).withEmulator(emulator));
    }

    private static RunningPass gpu(
            Model model, RuntimeOptions options, int contextLength, String label, GpuDevice device) {
        Activations activations = options.activations();
        Quantization quantization = model.quantization();
        int own = quantization == null ? 8 : quantization.activationBits();
        GpuPrecision precision =
                GpuPrecision.of(activations.bits(), own, (float) clip(model, activations), device.capability());
        ForwardPass pass = new GpuTransformer(model, label, device, precision, contextLength);
        return new RunningPass(pass, "ptx", pass.description(), precision.promptBits(), precision.stepBits());
    }

    /** @param noGpu why no GPU was taken; empty where none was looked for */
    private static RunningPass cpu(Model model, RuntimeOptions options, String noGpu) {
        CpuKernelsProvider.Choice choice = CpuKernelsProvider.choose(
                CpuKernelsProvider.requested().orFor(options.kernels()), HostSettings.environment());
        Precision precision = precision(model, options.activations());
        ActivationQuantizer quantizer = precision.activations();
        ThreadTeam team = new ThreadTeam(threads(options), ThreadPlacement.of(options.pinned()));
        CpuBackend backend = new CpuBackend(choice.kernels(), choice.reason(), team, precision);
        Transformer transformer;
        try {
            transformer = new Transformer(model, backend);
        } catch (Throwable failure) { // a backend that cannot take the weights leaves no threads or memory behind
            backend.close();
            throw failure;
        }
        int bits = model.quantization() == null || quantizer == null ? 16 : quantizer.bits();
        String description = transformer.description() + (noGpu.isEmpty() ? "" : "; no GPU: " + noGpu);
        return new RunningPass(transformer, choice.kernels().name(), description, bits, bits);
    }

    private static int threads(RuntimeOptions options) {
        return options.threads() > 0 ? options.threads() : Runtime.getRuntime().availableProcessors();
    }

    private static Precision precision(Model model, Activations wanted) {
        Quantization quantization = model.quantization();
        if (quantization == null && (wanted.bits() == 4 || wanted.bits() == 8)) {
            throw new ObrException("Activations of " + wanted.bits() + " bits were asked for, but " + model.name()
                    + " is not packed: compress it first, or leave the option out.");
        }
        int own = quantization == null ? 16 : quantization.activationBits();
        int bits = wanted.bits() == 0 ? Math.max(8, own) : wanted.bits();
        ActivationQuantizer quantizer = bits == 16 ? null : new ActivationQuantizer(bits, (float) clip(model, wanted));
        return new Precision(quantizer, wanted.simulated(), wanted.kvScheme());
    }

    private static double clip(Model model, Activations wanted) {
        Quantization quantization = model.quantization();
        return wanted.clip() == Activations.MODELS_OWN && quantization != null
                ? quantization.activationClip().ratio()
                : Math.max(wanted.clip(), Activations.SEARCH);
    }
}
